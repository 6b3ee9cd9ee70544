// The page to try queries on. The token comes from the input or from `#token=…` and lasts as long as the tab;
// `?query=` and `?variables=` fill the editors.
(() => {
  const KEY = "leadgraph:token";
  const input = document.getElementById("token");
  const state = document.getElementById("state");
  const wanted = new URLSearchParams(window.location.search);
  const fragment = new URLSearchParams(window.location.hash.slice(1));

  const keep = (token) => {
    if (token) {
      window.sessionStorage.setItem(KEY, token);
    } else {
      window.sessionStorage.removeItem(KEY);
    }
    state.textContent = token ? "sent with every operation" : "none: only what needs no rights";
  };

  if (fragment.has("token")) {
    keep(fragment.get("token"));
    // Not to be left in the address bar and the history.
    window.history.replaceState(null, "", window.location.pathname + window.location.search);
  }
  input.value = window.sessionStorage.getItem(KEY) || "";
  keep(input.value.trim());
  input.addEventListener("input", () => keep(input.value.trim()));
  document.getElementById("credential").addEventListener("submit", (event) => event.preventDefault());

  const url = window.location.origin + window.location.pathname;
  const credential = () => {
    const token = window.sessionStorage.getItem(KEY);
    return token ? { Authorization: `Bearer ${token}` } : {};
  };
  // graphql-ws tries a refused token again for half a minute, so it is asked for here first.
  const checkToken = async () => {
    const headers = { "Content-Type": "application/json", ...credential() };
    const answer = await fetch(url, { method: "POST", headers, body: '{"query": "{ __typename }"}' });
    if (answer.status === 401) {
      throw new Error("The token is not valid.");
    }
  };
  const subscribes = (document) =>
    document?.definitions.some((definition) => definition.operation === "subscription");
  // Made anew for each operation, so that a token typed later counts. Browsers cannot set headers on a
  // WebSocket: there the token travels in connection_init.
  const fetcher = async (parameters, options) => {
    if (subscribes(options?.documentAST)) {
      await checkToken();
    }
    return GraphiQL.createFetcher({
      url,
      subscriptionUrl: url.replace(/^http/, "ws"),
      headers: credential(),
      wsConnectionParams: credential(),
    })(parameters, options);
  };

  ReactDOM.createRoot(document.getElementById("graphiql")).render(
    React.createElement(GraphiQL, {
      fetcher,
      query: wanted.get("query") || undefined,
      variables: wanted.get("variables") || undefined,
      defaultEditorToolsVisibility: true,
    }),
  );
})();
