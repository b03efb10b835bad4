/** The tools that work on a task's files and processes, by name. Team tools stand with the agents: they need services. */
import * as z from 'zod';
import type { DeepReadonly } from '../base/deepReadonly.ts';
import type { RunOptions } from '../domain/run.ts';
import type { ToolDeclaration } from '../ports.ts';
import { applyEdit } from './applyEdit.ts';
import { fetchUrl } from './fetchUrl.ts';
import { listFiles } from './listFiles.ts';
import { readFile } from './readFile.ts';
import { runCommand } from './runCommand.ts';
import { runTests } from './runTests.ts';
import { SERVER_TOOLS } from './serverTools.ts';
import { searchText } from './searchText.ts';
import type { Tool } from './tool.ts';
import { writeFile } from './writeFile.ts';

export const READING_TOOLS: readonly Tool[] = [readFile, listFiles, searchText];
export const WORKING_TOOLS: readonly Tool[] = [...READING_TOOLS, writeFile, applyEdit, runCommand, runTests, fetchUrl];
/** Of who changes files, in a run with these options: servers are only spoken of where there are any. */
export function workingToolsFor({ mcpServers = [] }: DeepReadonly<Pick<RunOptions, 'mcpServers'>>): readonly Tool[] {
  return mcpServers.length > 0 ? [...WORKING_TOOLS, ...SERVER_TOOLS] : WORKING_TOOLS;
}
/** All whose answers others wrote, whoever has them. */
export const EVERY_TOOL: readonly Tool[] = [...WORKING_TOOLS, ...SERVER_TOOLS];
/** Of who plans: it looks, here and on the web. */
export const PLANNING_TOOLS: readonly Tool[] = [...READING_TOOLS, fetchUrl];

/** By the schema they come from: every call of a model offers the same tools, and making one takes a millisecond. */
const parametersOf = new WeakMap<Tool['input'], ToolDeclaration['parameters']>();

/** A tool as a model is offered it. */
export function declare({ name, description, input }: Tool): ToolDeclaration {
  const parameters = parametersOf.get(input) ?? z.toJSONSchema(input, { io: 'input' });
  parametersOf.set(input, parameters);
  return { name, description, parameters };
}
