"""What a Modelfile promises: nothing gets lost between reading and writing, and a mistake is found where it is."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from corral.conversation import Message
from corral.errors import InvalidModelfile
from corral.modelfile import Instruction, Keyword, Modelfile, parameter_texts, parse, quote, show

SPECIAL = st.text(st.sampled_from('"$a\\ \t\r\n\0#é\u00a0\u200d\u2028\ufeff'), max_size=12)
VALUES = st.one_of(SPECIAL, st.text(max_size=30))


def value_of(text: str) -> str:
    return parse(f"FROM x\nSYSTEM {text}").all(Keyword.SYSTEM)[0]


@given(VALUES)
@example('"""\n"""\n')
@example('{"role": "user"}\n"""')
@example('$"x"')
def test_every_value_reads_back_as_it_was_written(value: str) -> None:
    modelfile = Modelfile(
        (
            Instruction(Keyword.FROM, "base"),
            Instruction(Keyword.SYSTEM, value),
            Instruction(Keyword.TEMPLATE, value),
            Instruction(Keyword.PARAMETER, value, "stop"),
            Instruction(Keyword.MESSAGE, value, "user"),
            Instruction(Keyword.LICENSE, value),
        )
    )

    assert parse(show(modelfile)) == modelfile


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("plain words", "plain words"),
        (" led by a blank", '" led by a blank"'),
        ("two\nlines", '"two\nlines"'),
        ('say "hi"', 'say "hi"'),
        ('"quoted"', '""""quoted""""'),
        ('two "lines"\nof it', '"""two "lines"\nof it"""'),
        ("", '""'),
        ('"""\n"""', r'$"\"\"\"\n\"\"\""'),
    ],
)
def test_the_plainest_notation_that_holds_a_value_is_chosen(value: str, written: str) -> None:
    assert quote(value) == written


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("a  b \t", "a  b"),
        ('"x "', "x "),
        ('"say "hi""', 'say "hi"'),
        ('"""a""" b """', 'a""" b '),
        ('"""\nfirst\n"""', "\nfirst\n"),
        ("'x'", "'x'"),
        ("x # no comment", "x # no comment"),
        ("", ""),
        ('"no \\n escapes"', "no \\n escapes"),
        ("a\u200db\u00a0c", "a\u200db\u00a0c"),
        ("$5 a month", "$5 a month"),
    ],
)
def test_values_mean_what_they_mean_to_ollama_but_keep_every_character(written: str, value: str) -> None:
    assert value_of(written) == value


def test_every_instruction_is_read() -> None:
    modelfile = parse(
        '# a comment\n\nfrom base\nPARAMETER temperature 0.5\n  parameter   stop "a "\n'
        "PARAMETER\tstop\tb\nPARAMETER num_ctx 1\nPARAMETER num_ctx 2\n"
        "TEMPLATE {{ .Prompt }}\nSYSTEM one\nSYSTEM two\nADAPTER ./a.gguf\nDRAFT ./d.gguf\nLICENSE MIT\nLICENSE more\nMESSAGE user hi\n"
        "MESSAGE  assistant yes: sure\nRENDERER r\nPARSER p\nRUNNER llama-cpp\nREQUIRES v0.14.0"
    )

    assert modelfile.parameters == {"temperature": 0.5, "stop": ["a ", "b"], "num_ctx": 2}
    assert modelfile.last(Keyword.SYSTEM) == "two"
    assert modelfile.all(Keyword.LICENSE) == ("MIT", "more")
    assert modelfile.messages == (Message(role="user", content="hi"), Message(role="assistant", content="yes: sure"))
    assert [modelfile.last(k) for k in (Keyword.RENDERER, Keyword.PARSER, Keyword.RUNNER, Keyword.REQUIRES)] == [
        "r",
        "p",
        "llama-cpp",
        "v0.14.0",
    ]
    assert modelfile.last(Keyword.TEMPLATE) == "{{ .Prompt }}"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_text_editors_may_choose_the_encoding(encoding: str) -> None:
    assert parse("FROM x\r\nSYSTEM größer\r\n".encode(encoding)).last(Keyword.SYSTEM) == "größer"


@pytest.mark.parametrize(
    ("text", "line", "column", "says"),
    [
        ("FROM x\r\nFORM y\r\n", 2, 1, "did you mean FROM"),
        ("FROM x\n\n  HELLO y", 3, 3, 'command must be one of "from"'),
        ("FROM x\nPARAMETER temprature 1", 2, 11, "did you mean 'temperature'"),
        ("FROM x\nPARAMETER num_ctx many", 2, 19, "invalid int value"),
        ("FROM x\nPARAMETER num_ctx 0", 2, 19, "between"),
        ("FROM x\nPARAMETER temperature", 2, 22, "invalid float value"),
        ("FROM x\nMESSAGE robot hi", 2, 9, "message role must be one of"),
        ("FROM x\nMESSAGE User hi", 2, 9, "message role must be one of"),
        ('FROM x\n\nSYSTEM """never closed\n\n', 3, 8, "not closed"),
        ('FROM x\nLICENSE "MIT" text\nSYSTEM y', 2, 9, "not closed"),
        ("FROM x\nREQUIRES soon", 2, 10, "valid semver"),
        ("FROM ", 1, 6, "needs a value"),
        ("SYSTEM x\n# FROM y\n", 3, 1, "no FROM line"),
        ("FROM x\nSYSTEM a\0b", 2, 9, "NUL"),
        ('FROM x\nSYSTEM """a\nb\0c"""', 3, 2, "NUL"),
        ("", 1, 1, "no FROM line"),
    ],
)
def test_a_mistake_is_shown_where_it_is(text: str, line: int, column: int, says: str) -> None:
    with pytest.raises(InvalidModelfile, match=says) as caught:
        parse(text)

    assert (caught.value.line, caught.value.column) == (line, column)


def test_bytes_that_are_no_text_are_refused_with_their_place() -> None:
    with pytest.raises(InvalidModelfile, match="not utf-8"):
        parse(b"FROM x\nSYSTEM \xff\xfe\n")


def test_a_modelfile_over_the_limit_is_refused_before_it_is_read() -> None:
    """F82: 100 MB of Modelfile, unclosed quotes."""
    with pytest.raises(InvalidModelfile, match="over the limit"):
        parse('FROM x\nSYSTEM """' + "a" * (16 * 1024 * 1024))


def test_a_retired_parameter_is_warned_about_and_has_no_effect() -> None:
    modelfile = parse("FROM x\nPARAMETER f16_kv true")

    assert modelfile.parameters == {}
    assert modelfile.warnings == ("(line 2) parameter 'f16_kv' is retired and has no effect",)


@given(st.dictionaries(st.sampled_from(["temperature", "top_p", "min_p"]), st.floats(0, 1)), st.lists(VALUES, min_size=1, max_size=3))
def test_parameters_keep_their_values_through_text(numbers: dict[str, float], stops: list[str]) -> None:
    parameters = {"num_ctx": 1_048_576, "use_mmap": True, **numbers, "stop": stops}
    lines = [line for name, value in parameters.items() for line in parameter_texts(name, value)]

    assert parse(show(Modelfile((Instruction(Keyword.FROM, "x"), *lines)))).parameters == parameters


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_with_a_place_inside_it(text: str) -> None:
    place = (1, 1)
    try:
        parse(text)
    except InvalidModelfile as error:
        place = (error.line, error.column)

    assert 1 <= place[0] <= text.count("\n") + text.count("\r") + 1
    assert 1 <= place[1] <= len(text) + 1
