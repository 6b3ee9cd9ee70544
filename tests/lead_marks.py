"""Documents about what people put on leads: tags, stages of pipelines, touches."""

ERRORS = "userErrors { code message field ... on StaleVersion { currentVersion } }"
LEAD = "lead { id version changedAt tags { label } stages { pipeline { name } stage { name } since } }"
OUTCOMES = f"outcomes {{ id changed {LEAD} {ERRORS} }} job {{ id kind state }} {ERRORS}"
TAG = f"mutation($input: TagLeadsInput!) {{ tagLeads(input: $input) {{ {OUTCOMES} }} }}"
UNTAG = f"mutation($input: TagLeadsInput!) {{ untagLeads(input: $input) {{ {OUTCOMES} }} }}"
TAGS = """query($beginning: String) { tags(beginning: $beginning) {
  totalCount nodes { id label leadCount } } }"""
RENAME = f"mutation($input: RenameTagInput!) {{ renameTag(input: $input) {{ tag {{ label }} {ERRORS} }} }}"
DELETE_TAG = f"mutation($input: DeleteTagInput!) {{ deleteTag(input: $input) {{ deletedId {ERRORS} }} }}"
STAGE = f"""mutation($input: SetPipelineStageInput!) {{
  setPipelineStage(input: $input) {{ {OUTCOMES} }} }}"""
PIPELINE = "pipeline { id name position version stages { id name leadCount } }"
CREATE = (
    f"mutation($input: CreatePipelineInput!) {{ createPipeline(input: $input) {{ {PIPELINE} {ERRORS} }} }}"
)
UPDATE = (
    f"mutation($input: UpdatePipelineInput!) {{ updatePipeline(input: $input) {{ {PIPELINE} {ERRORS} }} }}"
)
DELETE = (
    f"mutation($input: DeletePipelineInput!) {{ deletePipeline(input: $input) {{ deletedId {ERRORS} }} }}"
)
PIPELINES = """query($project: ID) { pipelines(projectId: $project) {
  totalCount nodes { id name project { name } stages { id name } } } }"""
ENTRY = "id kind channel note at actor { kind user { email } } call { resultKey }"
TOUCH = (
    f"mutation($input: RecordTouchInput!) {{ recordTouch(input: $input) {{ touch {{ {ENTRY} }} {ERRORS} }} }}"
)
TOUCHES = f"""query($id: ID!, $first: Int! = 50, $after: String) {{ lead(id: $id) {{ version changedAt
  touches(first: $first, after: $after) {{ totalCount nodes {{ {ENTRY} }}
    pageInfo {{ hasNextPage endCursor }} }} }} }}"""
MARKS = """query($id: ID!) { lead(id: $id) { version changedAt tags { label }
  stages { pipeline { name } stage { name } }
  history { nodes { action before after actor { user { email } } } } } }"""
