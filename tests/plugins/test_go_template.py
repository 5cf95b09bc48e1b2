"""The interpreter of Go templates: the language, its limits, and who wrote what."""

from __future__ import annotations

from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corral.errors import InvalidTemplate
from corral_go_template.executor import Executor
from corral_go_template.functions import functions
from corral_go_template.parser import parse

DATA = {"X": 1, "S": "a<b", "L": ["a", "b", "c"], "M": {"b": 2, "a": 1}, "E": [], "F": 2.5, "T": True, "N": None, "D": {"A": {"B": "deep"}}}


def run(source: str, data=DATA) -> str:
    return "".join(text for text, _ in Executor(functions(date(2024, 3, 1))).run(parse(source), data))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        # text and trimming
        ("plain", "plain"),
        ("a {{ .X }} b", "a 1 b"),
        ("a {{- .X -}} b", "a1b"),
        ("a\n{{- /* a comment */ -}}\nb", "ab"),
        ("a {{/* not trimmed */}} b", "a  b"),
        ("{{-3}}", "-3"),
        ('{{ "}}" }}', "}}"),
        # values
        ("{{ .D.A.B }}{{ $.X }}", "deep1"),
        ("{{ (.D).A.B }}", "deep"),
        ("{{ .Missing }}{{ .N }}{{ (.N).B }}{{ $x := .Missing }}{{ $x.B }}", "<no value>" * 4),
        ("{{ .T }} {{ .F }} {{ 1e3 }} {{ 0x1F }} {{ 1e21 }} {{ 'a' }}", "true 2.5 1000 31 1e+21 97"),
        ('{{ "q\\"\\n\\u00e9" }}{{ `r\\n` }}', 'q"\né' + "r\\n"),
        ("{{ .L }}{{ .M }}", '["a","b","c"]{"b":2,"a":1}'),
        # conditions
        ("{{ if .E }}yes{{ else }}no{{ end }}", "no"),
        ("{{ if .E }}1{{ else if .T }}2{{ else }}3{{ end }}", "2"),
        ("{{ with .D.A }}{{ .B }}{{ end }}", "deep"),
        ("{{ with .N }}x{{ else with .S }}{{ . }}{{ else }}y{{ end }}", "a<b"),
        ("{{ with $y := .X }}{{ $y }}{{ end }}", "1"),
        ("{{ if and .T (not .E) }}y{{ end }}", "y"),
        ("{{ and .E .T }}|{{ or .E .S }}", "[]|a<b"),
        ("{{ if or .T .D.Nope.More }}short{{ end }}", "short"),
        # loops
        ("{{ range .L }}[{{ . }}]{{ end }}", "[a][b][c]"),
        ("{{ range $i, $v := .L }}{{ $i }}{{ $v }}{{ end }}", "0a1b2c"),
        ("{{ range $k, $v := .M }}{{ $k }}={{ $v }};{{ end }}", "a=1;b=2;"),
        ("{{ range .E }}x{{ else }}none{{ end }}", "none"),
        ("{{ range 3 }}{{ . }}{{ end }}", "012"),
        ('{{ range .L }}{{ if eq . "b" }}{{ continue }}{{ end }}{{ . }}{{ end }}', "ac"),
        ('{{ range .L }}{{ if eq . "b" }}{{ break }}{{ end }}{{ . }}{{ end }}{{ .X }}', "a1"),
        ("{{ range .L }}{{ $.X }}{{ end }}", "111"),
        # variables
        ("{{ $a := 1 }}{{ if .T }}{{ $a = 2 }}{{ end }}{{ $a }}", "2"),
        ("{{ $a := 1 }}{{ if .T }}{{ $a := 2 }}{{ end }}{{ $a }}", "1"),
        ("{{ $d := .D }}{{ $d.A.B }}", "deep"),
        ('{{ $last := "" }}{{ range .L }}{{ $last = . }}{{ end }}{{ $last }}', "c"),
        # templates
        ('{{ define "t" }}<{{ . }}>{{ end }}{{ template "t" .S }}', "<a<b>"),
        ('{{ block "t" .X }}[{{ . }}]{{ end }}', "[1]"),
        # functions
        ("{{ len .L }}{{ len .M }}{{ len `é` }}", "322"),
        ("{{ index .L 1 }}{{ index .M `b` }}", "b2"),
        ("{{ slice .L 1 }}{{ slice `hello` 1 3 }}", '["b","c"]el'),
        ("{{ len (slice .L 2) }}", "1"),
        ('{{ eq .X 1 }}{{ ne .S "x" }}{{ lt 1 2 }}{{ ge 2 3 }}{{ eq .S "x" "a<b" }}', "truetruetruefalsetrue"),
        ('{{ printf "%s-%d-%5.1f|%-4s|%04d|%q|%v%%" .S .X .F "ab" 7 "q" .T }}', 'a<b-1-  2.5|ab  |0007|"q"|true%'),
        ('{{ print 1 2 "a" 3 }}{{ println }}', "1 2a3\n"),
        ('{{ printf "%s|%v|%d|%5v|%x" .N nil .S .N "hi" }}', "%!s(<nil>)|<nil>|%!d(string=a<b)|<nil>|6869"),
        ('{{ printf "a" 1 nil }} {{ printf "%s" }} {{ printf "1%" }}', "a%!(EXTRA int=1, <nil>) %!s(MISSING) 1%!(NOVERB)"),
        ("{{ print .N 1 }}{{ println .N }}", "<nil> 1<nil>\n"),
        ("{{ .S | html }}|{{ .S | urlquery }}|{{ .S | js }}|{{ html .N `'` }}", "a&lt;b|a%3Cb|a\\u003Cb|&lt;no value&gt;&#39;"),
        ("{{ .X | printf `%d-%d` 5 }}", "5-1"),
        ("{{ json .M }}", '{"b":2,"a":1}'),
        ("{{ currentDate }} {{ yesterdayDate }}", "2024-03-01 2024-02-29"),
    ],
)
def test_a_template_prints_what_go_prints(source, expected):
    assert run(source) == expected


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("a\n{{ .X", "line 2: unclosed action"),
        ("a\n{{ if .X }}", "line 2: a block is not closed"),
        ("{{ end }}", "line 1: {{ end }} without a block"),
        ("{{ .X ? }}", "line 1: unexpected '?'"),
        ("{{ nope .X }}", "line 1: no function named 'nope'"),
        ("\n\n{{ $x }}", r"line 3: undefined variable \$x"),
        ('{{ template "t" }}', "line 1: no template named 't'"),
        ("{{ break }}", "line 1: {{ break }} outside of {{ range }}"),
        ("{{ lt .S 1 }}", "line 1: can't order string and int"),
        ("{{ eq .S 1 }}", "line 1: can't compare string with int"),
        ("{{ 0x" + "f" * 9999 + " }}", "is no number"),
        ("{{ printf `%c` 1e400 | len | index .L }}", "line 1: no index"),
        ("{{ eq 1 1.0 }}", "line 1: can't compare int with float"),
        ("{{ index .L 9 }}", "line 1: no index 9"),
        ("{{ slice .L 2 1 }}", "line 1: slice bounds 2:1"),
        ("{{ .S.Field }}", "line 1: 'a<b' has no field Field"),
        ("{{ .Missing.Field }}", "line 1: nil has no field Field"),
        ("{{ nil }}", "line 1: nil is not a command"),
        ("{{ range $i, $v := 3 }}{{ end }}", "line 1: numbers have no index"),
        ("{{ eq .L .L }}", "line 1: can't compare lists or maps"),
        ('{{ printf "%*d" 5 3 }}', r"line 1: printf does not know %\*"),
        ("{{ len }}", "line 1: wrong number of arguments"),
        ("{{ .X .S }}", "line 1: can't give arguments"),
        ('{{ "\\q" }}', r"line 1: unknown escape \\q"),
        ("{{ range .S }}{{ end }}", "line 1: can't range over"),
    ],
)
def test_a_mistake_is_named_with_its_line(source, message):
    with pytest.raises(InvalidTemplate, match=message):
        run(source)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{{ range 1000000000 }}{{ end }}", "stopped after"),
        ("{{ range 99999 }}{{ range 99999 }}x{{ end }}{{ end }}", "stopped after"),
        ('{{ define "t" }}{{ template "t" . }}{{ end }}{{ template "t" . }}', "templates call each other"),
        ("{{ if .T }}" * 200 + "{{ end }}" * 200, "nested deeper than 100"),
        ("{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}", "nested deeper than 100"),
        ('{{ printf "%999999999d" 1 }}', "a width of 999999999"),
        ("{{ $s := `x` }}{{ range 99 }}{{ $s = print $s $s }}{{ end }}", "stopped after"),
    ],
    ids=["loop", "nested loops", "recursion", "nesting", "parentheses", "width", "doubling"],
)
def test_a_hostile_template_is_stopped(source, message):
    """F75."""
    with pytest.raises(InvalidTemplate, match=message):
        run(source)


@pytest.mark.parametrize(
    ("source", "runs"),
    [
        ("<|a|>{{ .S }}", [("<|a|>", True), ("a<b", False)]),
        ('{{ "<|a|>" }}', [("<|a|>", True)]),
        ('{{ $x := "<|a|>" }}{{ $x }}', [("<|a|>", True)]),
        ('{{ printf "<%s>" "a" }}', [("<a>", True)]),
        ('{{ printf "<%s>" .S }}', [("<a<b>", False)]),
        ("{{ .L }}", [('["a","b","c"]', False)]),
    ],
)
def test_only_text_of_the_template_is_control_text(source, runs):
    assert Executor(functions(date(2024, 3, 1))).run(parse(source), DATA) == runs


SOUP = ["{{", "}}", "{{-", "-}}", " ", "if", "range", "end", "else", ".X", "$", "$x", ":=", "|", "(", ")", '"a"', "1", "and"]


@settings(deadline=None)
@given(st.text() | st.lists(st.sampled_from(SOUP)).map("".join))
def test_any_text_parses_or_is_refused(source):
    with suppress(InvalidTemplate):
        assert isinstance(run(source), str)


@settings(deadline=None)
@given(st.text(alphabet=st.characters(exclude_characters="{")), st.text())
def test_text_and_values_come_out_as_they_are(text, value):
    assert run(text + "{{ .V }}", {"V": value}) == text + value
