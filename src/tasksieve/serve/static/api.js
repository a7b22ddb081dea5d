// Asking the server. A busy one is asked once more; every other failure is an Error with one sentence.

const wait = (seconds) => new Promise((done) => setTimeout(done, 1000 * seconds));

async function ask(path, options, tries = 2) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The server does not answer; is it still running?");
  }
  if (response.status === 503 && tries > 1) {
    await wait(Number(response.headers.get("Retry-After")) || 1);
    return ask(path, options, tries - 1);
  }
  const answer = await response.json().catch(() => null);
  if (answer === null) throw new Error(`The server said ${response.status}, and nothing that can be read.`);
  if (!response.ok) throw new Error(sentence(answer.error));
  return answer;
}

const sentence = (text) => `${text[0].toUpperCase()}${text.slice(1)}.`;

/** The address of a path with parameters; those empty or null are left out, lists are repeated. */
export function address(path, parameters = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== null && one !== undefined && one !== "") query.append(name, one);
    }
  }
  return query.size ? `${path}?${query}` : path;
}

/** Get a JSON answer. */
export const get = (path, parameters, signal) => ask(address(path, parameters), { signal });

/** Send a JSON body and get a JSON answer. */
export function post(path, body) {
  const headers = { "Content-Type": "application/json" };
  return ask(path, { method: "POST", headers, body: JSON.stringify(body) });
}
