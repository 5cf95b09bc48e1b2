// The ai package with @ai-sdk/openai-compatible.
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { embed, generateObject, generateText, jsonSchema, stepCountIs, streamObject, streamText, tool as define } from "ai";
import { getWeather, model, question, report, schema, texts, tool, url } from "./stage.mjs";

const provider = createOpenAICompatible({ name: "corral", baseURL: `${url}/v1`, supportsStructuredOutputs: true, includeUsage: true });
const asked = { model: provider(model), prompt: question, maxRetries: 0 };
const place = { ...asked, schema: jsonSchema(schema) };
const plain = { description: tool.function.description, inputSchema: jsonSchema(schema) };
const tools = { get_weather: define(plain) };
const calls = (found) => found.map((call) => [call.toolName, call.input]);

await report({
  chat: async () => (await generateText(asked)).text,
  stream: async () => texts(streamText(asked).textStream, (text) => text),
  usage: async () => {
    const { usage } = await generateText(asked);
    return [usage.inputTokens, usage.outputTokens];
  },
  thinking: async () => (await generateText({ ...asked, providerOptions: { corral: { reasoningEffort: "high" } } })).reasoningText,
  tool_call: async () => calls((await generateText({ ...asked, tools })).toolCalls),
  streamed_tool_call: async () => {
    const answer = streamText({ ...asked, tools });
    await answer.consumeStream();
    return calls(await answer.toolCalls);
  },
  tool_answer: async () => {
    const callable = { get_weather: define({ ...plain, execute: getWeather }) };
    return (await generateText({ ...asked, tools: callable, stopWhen: stepCountIs(3) })).text;
  },
  structured: async () => (await generateObject(place)).object,
  streamed_structure: async () => {
    const answer = streamObject(place);
    await texts(answer.partialObjectStream, () => "");
    return answer.object;
  },
  embedding: async () => (await embed({ model: provider.textEmbeddingModel(model), value: "x" })).embedding,
  missing_model: async () => generateText({ ...asked, model: provider("nobody") }),
});
