"""The GraphQL door: HTTP, server-sent events, WebSocket, and the page to try queries on."""
