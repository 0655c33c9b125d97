// The story that every client tells, in JavaScript: `story.json`, step by step. `story.py` is the same for Python.
import { readFileSync } from "node:fs";

export class Story {
  // `client` brings tools, call, cancelled and read; `told` counts what was checked.
  constructor(client, path, lock) {
    Object.assign(this, { client, lock, told: 0, kept: {}, steps: JSON.parse(readFileSync(path, "utf8")) });
  }

  async tell() {
    for (const [index, step] of this.steps.entries()) {
      try {
        await this[step.do](step);
      } catch (error) {
        throw new Error(`step ${index + 1} ${JSON.stringify(step)}: ${error.message}`, { cause: error });
      }
    }
  }

  check(true_, what) {
    if (!true_) throw new Error(what);
    this.told += 1;
  }

  says(step, text) {
    for (const wanted of step.says ?? []) this.check(new RegExp(wanted).test(text), `no ${wanted} in:\n${text}`);
    for (const [name, pattern] of Object.entries(step.keep ?? {})) this.kept[name] = new RegExp(pattern).exec(text)[1];
  }

  filled(args) {
    const value = (one) => (typeof one === "string" && one.startsWith("$") ? this.kept[one.slice(1)] : one);
    return Object.fromEntries(Object.entries(args).map(([key, one]) => [key, value(one)]));
  }

  async tools(step) {
    const tools = await this.client.tools();
    this.check(JSON.stringify(tools) === JSON.stringify(step.are), `the tools are ${tools}`);
  }

  async call(step) {
    const numbers = [];
    const long = [];
    const progress = ({ progress: number, message }) => {
      numbers.push(number);
      if (message.length > 200) long.push(message);
    };
    const [failed, text] = await this.client.call(step.tool, this.filled(step.with), step.progress && progress);
    this.check(failed === (step.fails ?? false), `isError is ${failed}:\n${text}`);
    this.says(step, text);
    if (step.progress) {
      this.check(numbers.length && numbers.every((one, at) => at === 0 || one > numbers[at - 1]), `progress does not rise: ${numbers}`);
      this.check(long.length === 0, `long progress messages: ${long}`);
    }
  }

  // Progress says that it runs; then the caller loses interest.
  async cancel(step) {
    this.check(await this.client.cancelled(step.tool, this.filled(step.with)), "it was not cancelled");
  }

  async kill(step) {
    let killed = false;
    const progress = () => {
      if (!killed) process.kill(Number(readFileSync(this.lock, "ascii")), "SIGKILL");
      killed = true;
    };
    const [failed, text] = await this.client.call(step.tool, this.filled(step.with), progress);
    this.check(failed, text);
    this.says(step, text);
  }

  async read(step) {
    this.says(step, await this.client.read(step.uri));
  }
}
