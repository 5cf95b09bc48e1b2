// The ollama package.
import { Ollama } from "ollama";
import { getWeather, messages, model, question, report, schema, texts, tool, url } from "./stage.mjs";

const client = new Ollama({ host: url });
const ask = async (extra = {}) => (await client.chat({ model, messages, ...extra })).message;
const calls = (message) => message.tool_calls.map((call) => [call.function.name, call.function.arguments]);

await report({
  chat: async () => (await ask()).content,
  complete: async () => (await client.generate({ model, prompt: question })).response,
  stream: async () => texts(await client.chat({ model, messages, stream: true }), (part) => part.message.content),
  streamed_complete: async () => texts(await client.generate({ model, prompt: question, stream: true }), (part) => part.response),
  usage: async () => {
    const answer = await client.chat({ model, messages });
    return [answer.prompt_eval_count, answer.eval_count];
  },
  thinking: async () => (await ask({ think: true })).thinking,
  tool_call: async () => calls(await ask({ tools: [tool] })),
  streamed_tool_call: async () => {
    const found = [];
    for await (const part of await client.chat({ model, messages, tools: [tool], stream: true })) {
      if (part.message.tool_calls) found.push(...calls(part.message));
    }
    return found;
  },
  tool_answer: async () => {
    const asked = await ask({ tools: [tool] });
    const results = asked.tool_calls.map((call) => ({
      role: "tool",
      tool_name: call.function.name,
      content: getWeather(call.function.arguments),
    }));
    return (await ask({ tools: [tool], messages: [...messages, asked, ...results] })).content;
  },
  structured: async () => JSON.parse((await ask({ format: schema })).content),
  embedding: async () => (await client.embed({ model, input: "x" })).embeddings[0],
  models: async () => (await client.list()).models.map((entry) => entry.name),
  shown: async () => (await client.show({ model })).capabilities,
  running: async () => (await client.ps()).models.map((entry) => entry.name),
  pulled: async () => texts(await client.pull({ model, stream: true }), (part) => part.status),
  aborted: async () => {
    const stream = await client.chat({ model, messages, stream: true });
    stream.abort();
    return texts(stream, (part) => part.message.content);
  },
  missing_model: async () => client.chat({ model: "nobody", messages }),
});
