// The @anthropic-ai/sdk package.
import Anthropic from "@anthropic-ai/sdk";
import { jsonSchemaOutputFormat } from "@anthropic-ai/sdk/helpers/json-schema";
import { getWeather, messages, model, report, schema, texts, tool, url } from "./stage.mjs";

const client = new Anthropic({ baseURL: url, apiKey: "none", maxRetries: 0 });
const asked = { model, max_tokens: 2048, messages };
const tools = [{ name: tool.function.name, description: tool.function.description, input_schema: schema }];
const ask = (extra = {}) => client.messages.create({ ...asked, ...extra });
const block = (message, type) => message.content.find((part) => part.type === type);
const calls = (message) => message.content.filter((part) => part.type === "tool_use").map((part) => [part.name, part.input]);

await report({
  chat: async () => block(await ask(), "text").text,
  stream: async () => texts(await ask({ stream: true }), (event) => event.delta?.text),
  usage: async () => {
    const { usage } = await ask();
    return [usage.input_tokens + usage.cache_read_input_tokens, usage.output_tokens];
  },
  thinking: async () => block(await ask({ thinking: { type: "enabled", budget_tokens: 1024 } }), "thinking").thinking,
  streamed_thinking: async () => {
    const events = await ask({ thinking: { type: "enabled", budget_tokens: 1024 }, stream: true });
    return texts(events, (event) => event.delta?.thinking);
  },
  tool_call: async () => calls(await ask({ tools })),
  streamed_tool_call: async () => calls(await client.messages.stream({ ...asked, tools }).finalMessage()),
  tool_answer: async () => {
    const answer = await ask({ tools });
    const used = answer.content.filter((part) => part.type === "tool_use");
    const results = used.map((part) => ({ type: "tool_result", tool_use_id: part.id, content: getWeather(part.input) }));
    const turns = [...messages, { role: "assistant", content: answer.content }, { role: "user", content: results }];
    return block(await ask({ tools, messages: turns }), "text").text;
  },
  structured: async () => {
    const output_config = { format: jsonSchemaOutputFormat(schema) };
    return (await client.messages.parse({ ...asked, output_config })).parsed_output;
  },
  counted: async () => (await client.messages.countTokens({ model, messages })).input_tokens,
  models: async () => texts(client.models.list(), (entry) => entry.id),
  aborted: async () => {
    const stream = client.messages.stream(asked);
    stream.abort();
    return stream.finalMessage();
  },
  missing_model: async () => ask({ model: "nobody" }),
});
