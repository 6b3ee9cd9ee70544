// The operations that the clients run.
export const SEGMENT = "query ($id: ID!) { segment(id: $id) { id name memberCount } }";

export const ADD = `mutation ($segment: ID!, $lead: ID!) {
  addLeadsToSegments(input: { segmentIds: [$segment], leadIds: [$lead] }) {
    updates { counts { joined } }
    userErrors { code }
  }
}`;

export const FOLLOW = `subscription ($segment: ID!, $after: String) {
  segmentMembershipChanged(segmentIds: [$segment], after: $after) {
    __typename
    cursor
    ... on MembershipChange { joined }
  }
}`;

/** What is adding a lead over plain HTTP, for scripts whose client only follows. */
export const addLead = async ({ url, token, segment }, lead) => {
  const response = await fetch(url, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ query: ADD, variables: { segment, lead } }),
  });
  const { data } = await response.json();
  if (data.addLeadsToSegments.updates[0].counts.joined !== 1) throw new Error("The lead did not join.");
};

/** The change in a payload of FOLLOW, null for a heartbeat. */
export const changeOf = ({ data, errors }) => {
  if (errors) throw new Error(JSON.stringify(errors));
  const event = data.segmentMembershipChanged;
  return event.__typename === "MembershipChange" ? event : null;
};
