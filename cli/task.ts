/**
 * A command as a task of `deno.json` starts it: what it says to type next is a task too.
 *
 * @module
 */
import process from "node:process";
import { createProgram } from "./program.ts";
import { runProgram } from "./run_program.ts";
import { TASKS } from "./terminal/program_name.ts";

process.exit(await runProgram(TASKS, process.argv.slice(2), createProgram));
