/** What both example pages do: download with progress, facts in a list, errors in words. */

const find = (id) => document.getElementById(id);
const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;

/** Says what is being done, and how much of it is done where that is known. */
export function tell(activity, share) {
  find("activity").textContent = activity;
  if (share === undefined) find("progress").removeAttribute("value");
  else find("progress").value = share;
}

/** Adds a line to the list of facts. */
export function fact(name, value) {
  const term = document.createElement("dt"), text = document.createElement("dd");
  term.textContent = name;
  text.textContent = value;
  find("facts").append(term, text);
}

/** Bytes of a file that is on its way, as a stream that shows how far it is. */
export async function download(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: the server answers ${response.status}`);
  const total = Number(response.headers.get("content-length"));
  fact("download", total > 0 ? megabytes(total) : "of unknown size");
  let arrived = 0;
  return response.body.pipeThrough(
    new TransformStream({
      transform(chunk, controller) {
        arrived += chunk.length;
        tell(`downloading: ${megabytes(arrived)}`, total > 0 ? arrived / total : undefined);
        controller.enqueue(chunk);
      },
    }),
  );
}

/** A JSON file; undefined where there is none. */
export async function json(url) {
  const response = await fetch(url);
  return response.ok ? await response.json() : undefined;
}

/** Seconds that some work takes, added to the facts. */
export async function timed(name, work) {
  const start = performance.now();
  const result = await work();
  fact(name, `${((performance.now() - start) / 1000).toFixed(1)} s`);
  return result;
}

/** Loads the model, then lets `write` continue prompts; `write` is given the place for its text. */
export async function run(load) {
  try {
    const write = await load();
    find("progress").hidden = true;
    tell("ready", 1);
    find("write").disabled = false;
    find("form").onsubmit = async (event) => {
      event.preventDefault();
      find("write").disabled = true;
      const start = performance.now();
      let tokens = 0;
      const show = (text) => {
        find("story").textContent = text;
        const seconds = (performance.now() - start) / 1000;
        tell(`${++tokens} tokens, ${(tokens / seconds).toFixed(1)} a second`);
      };
      await write(find("prompt").value, show).catch(failed);
      find("write").disabled = false;
      document.body.dataset.written = String(Number(document.body.dataset.written ?? 0) + 1);
    };
  } catch (error) {
    failed(error);
  }
}

function failed(error) {
  find("error").textContent = error instanceof Error ? error.message : String(error);
  tell("stopped", 0);
}

/** A choice in the page's address, such as `?tokens=40`. */
export function choice(name, otherwise) {
  return new URL(location.href).searchParams.get(name) ?? otherwise;
}

export { megabytes };
