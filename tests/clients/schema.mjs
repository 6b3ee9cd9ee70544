// schema.graphql as graphql-js reads it.
import { readFile } from "node:fs/promises";

import { buildSchema, isInputObjectType, validateSchema } from "graphql";

export const read = async ({ file }) => {
  const schema = buildSchema(await readFile(file, "utf8"));
  return {
    problems: validateSchema(schema).map(String),
    oneOf: Object.values(schema.getTypeMap())
      .filter((type) => isInputObjectType(type) && type.isOneOf)
      .map((type) => type.name),
  };
};
