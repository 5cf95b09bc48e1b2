// Chat, stream, call a tool and fail with the clients that JavaScript programs use; print what they saw as JSON.
import { Ollama } from "ollama";
import OpenAI from "openai";
import Anthropic from "@anthropic-ai/sdk";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, streamText } from "ai";

const [url, model] = process.argv.slice(2);
const messages = [{ role: "user", content: "What is the weather in Paris?" }];
const parameters = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const tool = { type: "function", function: { name: "get_weather", description: "weather", parameters } };
const failure = async (call) => {
  try {
    await call();
    return "no failure";
  } catch (error) {
    return `${error.name} ${error.status ?? error.status_code ?? ""}`;
  }
};
const seen = {};

const ollama = new Ollama({ host: url });
let text = "";
for await (const part of await ollama.chat({ model, messages, stream: true })) text += part.message.content;
const called = await ollama.chat({ model, messages, tools: [tool] });
seen.ollama = {
  text,
  call: called.message.tool_calls[0].function,
  models: (await ollama.list()).models.length,
  vector: (await ollama.embed({ model, input: "x" })).embeddings[0].length,
  failure: await failure(() => ollama.chat({ model: "nope", messages })),
};

const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: "none", maxRetries: 0 });
const stream = openai.chat.completions.stream({ model, messages, tools: [tool] });
const completion = await stream.finalChatCompletion();
const response = await openai.responses.create({ model, input: "What is the weather in Paris?" });
seen.openai = {
  text: completion.choices[0].message.content,
  call: completion.choices[0].message.tool_calls[0].function,
  response: response.output_text,
  vector: (await openai.embeddings.create({ model, input: "x" })).data[0].embedding.length,
  failure: await failure(() => openai.chat.completions.create({ model: "nope", messages })),
};

const anthropic = new Anthropic({ baseURL: url, apiKey: "none", maxRetries: 0 });
const asked = { model, max_tokens: 50, messages, tools: [{ name: "get_weather", input_schema: parameters }] };
const message = await anthropic.messages.stream(asked).finalMessage();
seen.anthropic = {
  text: message.content[0].text,
  call: message.content[1],
  failure: await failure(() => anthropic.messages.create({ ...asked, model: "nope" })),
};

const compatible = createOpenAICompatible({ name: "corral", baseURL: `${url}/v1` })(model);
const streamed = streamText({ model: compatible, prompt: "What is the weather in Paris?" });
let pieces = "";
for await (const piece of streamed.textStream) pieces += piece;
seen.ai = { text: pieces, whole: (await generateText({ model: compatible, prompt: "hi" })).text };

console.log(JSON.stringify(seen));
