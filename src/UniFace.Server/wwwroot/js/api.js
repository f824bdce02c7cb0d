// The service's own API. An error is an Error whose message is the one line that the service gives for people.

/** GET or another method; gives the JSON of the answer, or null where it has none. */
export async function api(path, options = {}) {
  const response = await ask(path, options);
  return response.status === 204 ? null : response.json();
}

/** The same as api(), but gives the answer itself once it is known to be good. */
export async function ask(path, options = {}) {
  const key = sessionStorage.getItem("uniface-key");
  let response;
  try {
    response = await fetch(path, { headers: { Accept: "application/json, text/event-stream", ...(key ? { Authorization: `Bearer ${key}` } : {}) }, ...options });
  } catch (error) {
    if (error.name === "AbortError") {
      throw error;
    }

    throw new Error("the service does not answer; is it still running?");
  }

  if (!response.ok) {
    let problem = {};
    try {
      problem = await response.json();
    } catch {
      // Not a problem document: the status says it.
    }

    if (response.status === 401) {
      window.dispatchEvent(new CustomEvent("needs-key", { detail: key ? problem.detail : null }));
    }

    const failure = new Error(problem.detail || problem.title || `the service answered ${response.status}`);
    failure.status = response.status;
    failure.faults = problem.faults ?? [];
    throw failure;
  }

  return response;
}

/** Calls back with the JSON of each server-sent event until the stream ends. */
export async function events(path, signal, each) {
  const response = await ask(path, { signal });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await next(reader);
    if (done) {
      return;
    }

    text += value;
    const blocks = text.split("\n\n");
    text = blocks.pop();
    for (const block of blocks) {
      const data = block.split("\n").filter(line => line.startsWith("data:")).map(line => line.slice(5)).join("\n");
      if (data.trim()) {
        each(JSON.parse(data));
      }
    }
  }
}

async function next(reader) {
  try {
    return await reader.read();
  } catch (error) {
    throw error.name === "AbortError" ? error : new Error("the connection to the service broke off");
  }
}
