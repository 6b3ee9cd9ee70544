// graphql-ws against the WebSocket.
import { createClient } from "graphql-ws";
import WebSocket from "ws";

import { ADD, FOLLOW, SEGMENT, addLead, changeOf } from "./operations.mjs";

const clientOf = ({ url, token }, options = {}) =>
  createClient({
    url: url.replace("http", "ws"),
    webSocketImpl: WebSocket,
    connectionParams: token ? { Authorization: `Bearer ${token}` } : {},
    retryAttempts: 0,
    ...options,
  });

const once = async (client, query, variables) => {
  for await (const result of client.iterate({ query, variables })) return result;
};

export const queryAndMutation = async (world) => {
  const client = clientOf(world);
  return {
    query: await once(client, SEGMENT, { id: world.segment }),
    mutation: await once(client, ADD, { segment: world.segment, lead: world.leads[0] }),
  };
};

/** Follows a segment; the socket is cut after the first change, and the second happens while it is away. */
export const resumesAfterACut = async (world) => {
  const [first, second, third] = world.leads;
  const payload = { query: FOLLOW, variables: { segment: world.segment, after: world.after } };
  let sockets = 0;
  let socket;
  const client = clientOf(world, {
    retryAttempts: 1,
    retryWait: () => addLead(world, second),
    on: {
      opened: (opened) => {
        socket = opened;
        sockets += 1;
      },
    },
  });
  const joined = [];
  await addLead(world, first);
  for await (const result of client.iterate(payload)) {
    const change = changeOf(result);
    if (!change) continue;
    joined.push(...change.joined);
    // The client sends the same payload again when it has reconnected.
    payload.variables.after = change.cursor;
    if (joined.length === 1) socket.terminate();
    if (joined.length === 2) await addLead(world, third);
    if (joined.length === 3) break;
  }
  return { joined, sockets };
};

/** How an operation ends that the server refuses. */
export const refused = async (world) => {
  const client = clientOf(world);
  const ended = [];
  for (const query of ["{ nothing }", ADD, FOLLOW]) {
    try {
      ended.push(await once(client, query, { segment: world.segment, lead: world.leads[0] }));
    } catch (errors) {
      ended.push({ refused: errors });
    }
  }
  return ended;
};

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Ways to break the protocol: options of the client, and how many operations it runs at once. */
const OFFENCES = {
  malformed: { on: { connected: (socket) => socket.send("{") } },
  subscribesFirst: {
    on: {
      opened: (socket) =>
        socket.send(JSON.stringify({ type: "subscribe", id: "1", payload: { query: SEGMENT } })),
    },
  },
  wrongToken: { connectionParams: { Authorization: "Bearer lg_1_1_wrong" } },
  neverInitialises: { connectionParams: () => pause(60_000) },
  sameIdTwice: { generateID: () => "same", operations: 2 },
  initialisesTwice: {
    on: { connected: (socket) => socket.send(JSON.stringify({ type: "connection_init" })) },
  },
};

/** The close that the client reports for each offence. */
export const closes = async (world) => {
  const seen = {};
  for (const [name, { operations = 1, ...options }] of Object.entries(OFFENCES)) {
    const client = clientOf(world, options);
    const follow = () => once(client, FOLLOW, { segment: world.segment });
    const closed = await Promise.all(Array.from({ length: operations }, follow)).catch((close) => close);
    seen[name] = { code: closed.code ?? null, reason: closed.reason ?? String(closed) };
  }
  return seen;
};

/** What a client sees of each socket beyond the limit of one token. */
export const tooManySockets = async ({ limit, ...world }) => {
  const clients = Array.from({ length: limit }, () => clientOf(world, { lazy: false }));
  await Promise.all(clients.map((client) => new Promise((resolve) => client.on("connected", resolve))));
  const closed = await once(clientOf(world), SEGMENT, { id: world.segment }).catch((close) => close);
  await Promise.all(clients.map((client) => client.dispose()));
  return { code: closed.code, reason: closed.reason };
};
