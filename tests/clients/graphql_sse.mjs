// graphql-sse (distinct connections) and a plain EventSource against the event stream.
import { EventSource } from "eventsource";
import { createClient } from "graphql-sse";

import { ADD, FOLLOW, SEGMENT, addLead, changeOf } from "./operations.mjs";

const clientOf = ({ url, token }, options = {}) =>
  createClient({ url, headers: { authorization: `Bearer ${token}` }, retryAttempts: 0, ...options });

/** A `fetch` whose answers can be cut off in the middle, as a network would. */
const cuttable = () => {
  const seen = { requests: [], cut: () => {} };
  seen.fetch = async (address, options) => {
    const response = await fetch(address, options);
    seen.requests.push(new Headers(options.headers).get("last-event-id"));
    const body = response.body.pipeThrough(
      new TransformStream({
        start: (stream) => {
          seen.cut = () => stream.error(new TypeError("The line is cut."));
        },
      }),
    );
    return Object.defineProperty(new Response(body, response), "url", { value: response.url });
  };
  return seen;
};

export const queryAndMutation = async (world) => {
  const client = clientOf(world);
  const once = async (query, variables) => {
    for await (const result of client.iterate({ query, variables })) return result;
  };
  return {
    query: await once(SEGMENT, { id: world.segment }),
    mutation: await once(ADD, { segment: world.segment, lead: world.leads[0] }),
  };
};

/** Follows a segment with graphql-sse, which reconnects and leaves the cursor to its user. */
export const resumesAfterACut = async (world) => {
  const [first, second, third] = world.leads;
  const line = cuttable();
  let cursor = world.after;
  const client = clientOf(world, {
    fetchFn: line.fetch,
    headers: () => ({ authorization: `Bearer ${world.token}`, "last-event-id": cursor }),
    retryAttempts: 1,
    retry: () => addLead(world, second),
  });
  const joined = [];
  await addLead(world, first);
  for await (const result of client.iterate({ query: FOLLOW, variables: { segment: world.segment } })) {
    const change = changeOf(result);
    if (!change) continue;
    joined.push(...change.joined);
    cursor = change.cursor;
    if (joined.length === 1) line.cut();
    if (joined.length === 2) await addLead(world, third);
    if (joined.length === 3) break;
  }
  return { joined, connections: line.requests.length };
};

/** Follows a segment with an EventSource, which sends the last `id:` back by itself. */
export const eventSourceResumesAfterACut = async (world) => {
  const [first, second, third] = world.leads;
  const line = cuttable();
  const body = JSON.stringify({
    query: FOLLOW,
    variables: { segment: world.segment, after: world.after },
  });
  const source = new EventSource(world.url, {
    fetch: (address, options) =>
      line.fetch(address, {
        ...options,
        method: "POST",
        headers: {
          ...options.headers,
          authorization: `Bearer ${world.token}`,
          "content-type": "application/json",
        },
        body,
      }),
  });
  const joined = [];
  const ids = [];
  await new Promise((resolve, reject) => {
    const take = async (event) => {
      const change = changeOf(JSON.parse(event.data));
      if (!change) return;
      joined.push(...change.joined);
      ids.push(event.lastEventId);
      if (joined.length === 1) {
        line.cut();
        await addLead(world, second);
      }
      if (joined.length === 2) await addLead(world, third);
      if (joined.length === 3) resolve();
    };
    source.addEventListener("next", (event) => take(event).catch(reject));
    source.addEventListener("open", () => line.requests.length === 1 && addLead(world, first).catch(reject));
  });
  source.close();
  return { joined, ids, sent: line.requests };
};
