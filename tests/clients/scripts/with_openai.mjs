// The openai package: chat completions, responses, embeddings.
import OpenAI from "openai";
import { zodResponseFormat } from "openai/helpers/zod";
import { z } from "zod";
import { getWeather, messages, model, question, report, texts, tool, url } from "./stage.mjs";

const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: "none", maxRetries: 0 });
const ask = async (extra = {}) => (await client.chat.completions.create({ model, messages, ...extra })).choices[0].message;
const calls = (message) => message.tool_calls.map((call) => [call.function.name, JSON.parse(call.function.arguments)]);

await report({
  chat: async () => (await ask()).content,
  complete: async () => (await client.completions.create({ model, prompt: question })).choices[0].text,
  stream: async () => texts(await client.chat.completions.create({ model, messages, stream: true }), (part) => part.choices[0]?.delta.content),
  streamed_complete: async () => texts(await client.completions.create({ model, prompt: question, stream: true }), (part) => part.choices[0]?.text),
  usage: async () => {
    const { usage } = await client.chat.completions.create({ model, messages });
    return [usage.prompt_tokens, usage.completion_tokens];
  },
  thinking: async () => (await ask({ reasoning_effort: "high" })).reasoning_content,
  responses: async () => (await client.responses.create({ model, input: question })).output_text,
  streamed_responses: async () => {
    const events = await client.responses.create({ model, input: question, stream: true });
    return texts(events, (event) => (event.type === "response.output_text.delta" ? event.delta : ""));
  },
  tool_call: async () => calls(await ask({ tools: [tool] })),
  streamed_tool_call: async () => {
    const completion = await client.chat.completions.stream({ model, messages, tools: [tool] }).finalChatCompletion();
    return calls(completion.choices[0].message);
  },
  tool_answer: async () => {
    const callable = { ...tool, function: { ...tool.function, function: getWeather, parse: JSON.parse } };
    return client.chat.completions.runTools({ model, messages, tools: [callable] }).finalContent();
  },
  structured: async () => {
    const response_format = zodResponseFormat(z.object({ city: z.string() }), "place");
    return (await client.chat.completions.parse({ model, messages, response_format })).choices[0].message.parsed;
  },
  embedding: async () => (await client.embeddings.create({ model, input: "x" })).data[0].embedding,
  models: async () => texts(client.models.list(), (entry) => entry.id),
  aborted: async () => {
    const stream = client.chat.completions.stream({ model, messages });
    stream.abort();
    return stream.finalChatCompletion();
  },
  missing_model: async () => client.chat.completions.create({ model: "nobody", messages }),
});
