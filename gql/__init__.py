"""The process: GraphQL, HTTP and WebSocket, jobs, command line."""
