// What every script asks its client, and how it tells what it saw: `node with_<client>.mjs URL MODEL METHOD ...`.
export const [url, model, ...wanted] = process.argv.slice(2);
export const question = "What is the weather in Paris?";
export const messages = [{ role: "user", content: question }];
export const schema = { type: "object", properties: { city: { type: "string" } }, required: ["city"], additionalProperties: false };
export const tool = { type: "function", function: { name: "get_weather", description: "Look up the weather of a city.", parameters: schema } };
export const getWeather = ({ city }) => `sunny in ${city}`;

// Returns the non-empty texts that `textOf` finds in the parts of a stream.
export const texts = async (stream, textOf) => {
  const seen = [];
  for await (const part of stream) seen.push(textOf(part));
  return seen.filter(Boolean);
};

// Runs the wanted methods one after the other and prints what each gave, or how it failed, as one line of JSON.
export const report = async (methods) => {
  const seen = {};
  for (const method of wanted) {
    try {
      seen[method] = await methods[method]();
    } catch (failure) {
      console.error(failure);
      seen[method] = { failure: failure.name === "Error" ? failure.constructor.name : failure.name };
    }
  }
  console.log(JSON.stringify(seen));
};
