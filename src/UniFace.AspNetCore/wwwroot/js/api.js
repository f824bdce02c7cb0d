// Calls the service's API. Errors carry the service's one-line message.

/** Sends a request; returns the JSON of the response, or null if it has none. */
export async function api(path, options = {}) {
  const response = await ask(path, options);
  return response.status === 204 ? null : response.json();
}

/** Like api(), but returns the response itself. */
export async function ask(path, options = {}) {
  const key = sessionStorage.getItem("uniface-key");
  let response;
  try {
    const headers = { Accept: "application/json, text/event-stream", ...(key ? { Authorization: `Bearer ${key}` } : {}) };
    response = await fetch(path, { headers, ...options });
  } catch (error) {
    if (error.name === "AbortError") {
      throw error;
    }

    throw new Error("the service does not respond; is it still running?");
  }

  if (!response.ok) {
    let problem = {};
    try {
      problem = await response.json();
    } catch {
      // Not a problem document; the status is enough.
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

/** Calls each() with the JSON of every server-sent event until the stream ends. */
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
    throw error.name === "AbortError" ? error : new Error("the connection to the service was lost");
  }
}
