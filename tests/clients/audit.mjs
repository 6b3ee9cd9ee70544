// graphql-http's audit of a server against the GraphQL-over-HTTP specification.
import { auditServer } from "graphql-http";

export const audit = async ({ url, token }) => {
  const fetchFn = (address, options = {}) =>
    fetch(address, { ...options, headers: { ...options.headers, authorization: `Bearer ${token}` } });
  const results = await auditServer({ url, fetchFn });
  return results.map(({ name, status, reason }) => ({ name, status, reason: reason ?? null }));
};
