// What a Relay application with segments would hold; compiled, never run.
graphql`
  query boardQuery($segment: ID!) {
    ...boardSegments
    node(id: $segment) {
      ... on Segment {
        ...boardMembers @alias
      }
    }
  }
`;

graphql`
  fragment boardSegments on Query
  @refetchable(queryName: "boardSegmentsPage")
  @argumentDefinitions(count: { type: "Int", defaultValue: 20 }, cursor: { type: "String" }) {
    segments(first: $count, after: $cursor) @connection(key: "board_segments") {
      edges {
        node {
          id
          name
          memberCount
        }
      }
    }
  }
`;

graphql`
  fragment boardMembers on Segment
  @refetchable(queryName: "boardMembersPage")
  @argumentDefinitions(count: { type: "Int", defaultValue: 20 }, cursor: { type: "String" }) {
    members(first: $count, after: $cursor) @connection(key: "board_members") {
      edges {
        node {
          origin
          lead {
            id
            phone
          }
        }
      }
    }
  }
`;

graphql`
  mutation boardCreateMutation($input: CreateSegmentInput!) {
    createSegment(input: $input) {
      segment {
        id
        name
      }
      userErrors {
        code
        message
        field
      }
    }
  }
`;

graphql`
  subscription boardFollowSubscription($segments: [ID!], $after: String) {
    segmentMembershipChanged(segmentIds: $segments, after: $after) {
      cursor
      ... on MembershipChange {
        segment {
          id
          memberCount
        }
        joined
        left
      }
    }
  }
`;
