// urql, with its defaults: queries by GET while the address is short, subscriptions over graphql-ws.
import { Client, fetchExchange, subscriptionExchange } from "@urql/core";
import { createClient } from "graphql-ws";
import WebSocket from "ws";

import { ADD, FOLLOW, SEGMENT, changeOf } from "./operations.mjs";

const clientOf = ({ url, token }, requests = []) => {
  const sockets = createClient({
    url: url.replace("http", "ws"),
    webSocketImpl: WebSocket,
    connectionParams: { Authorization: `Bearer ${token}` },
  });
  return new Client({
    url,
    fetch: (address, options) => {
      requests.push(options.method);
      return fetch(address, options);
    },
    fetchOptions: { headers: { authorization: `Bearer ${token}` } },
    exchanges: [
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: ({ query = "", variables }) => ({
          subscribe: (sink) => ({ unsubscribe: sockets.subscribe({ query, variables }, sink) }),
        }),
      }),
    ],
  });
};

/** A query, a subscription that sees the mutation made meanwhile, and the methods that were used. */
export const everyOperation = async (world) => {
  const { segment, leads, after } = world;
  const requests = [];
  const client = clientOf(world, requests);
  const query = await client.query(SEGMENT, { id: segment });
  const mutation = await client.mutation(ADD, { segment, lead: leads[0] });
  const change = await new Promise((resolve) => {
    client.subscription(FOLLOW, { segment, after }).subscribe((result) => {
      const seen = changeOf({ data: result.data, errors: result.error });
      if (seen) resolve(seen);
    });
  });
  return { query: query.data, mutation: mutation.data, joined: change.joined, requests };
};

/** What urql makes of a refusal: the codes of its combined error, and whether it calls it a network error. */
export const refusal = async (world) => {
  const { error } = await clientOf(world).mutation(ADD, { segment: world.segment, lead: world.leads[0] });
  return {
    codes: error.graphQLErrors.map(({ extensions }) => extensions.code),
    network: error.networkError?.message ?? null,
  };
};
