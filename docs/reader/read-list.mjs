// Verifies a published hash list, format 2, and prints its entries: a second reader, written from
// docs/hashlist-format.md and docs/log.md alone. Node only, no packages.
//
//   node read-list.mjs FOLDER FINGERPRINT [TIME] [COLUMN,COLUMN…]
//
// FOLDER is a copy of what is published, FINGERPRINT the SHA-256 of the root that you trust
// (metadata/1.root.json), TIME the clock (default: now). Exit 0, or 1 with a sentence.
import { createHash, createPublicKey, verify } from "node:crypto";
import { readFileSync, existsSync } from "node:fs";

const COLUMNS = { md5: 16, pdq: 32, photodna: 144, sha1: 20, sha256: 32, video: 32 };
const ACTIONS = [, "add", "amend", "withdraw", "quarantine", "restore"], KINDS = [, "image", "video"];
const [folder, fingerprint, time, wanted] = process.argv.slice(2);
const now = time ? Date.parse(time) : Date.now();
const columns = new Set(["core", ...(wanted ?? Object.keys(COLUMNS).join()).split(",")]);

function need(holds, sentence) {
  if (!holds) { console.error(`${sentence} Nothing was used.`); process.exit(1); }
}
process.on("uncaughtException", ({ message }) => need(false, `A file is malformed (${message}).`));
const read = (path) => { need(existsSync(`${folder}/${path}`), `${path} is missing.`); return readFileSync(`${folder}/${path}`); };
const sha = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash("sha256")).digest();
const hex = (data) => data.toString("hex");
const utf8 = (data) => { const text = data.toString("utf8"); need(Buffer.from(text).equals(data), "A text is not UTF-8."); return text; };
function base64(text) {
  const data = Buffer.from(text, "base64");
  need(data.toString("base64") === text, "A text is not the base64 of anything.");
  return data;
}
function signed(key, message, signature) { // Ed25519; the key is 32 bytes, after its ASN.1 header
  const der = Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), key]);
  return verify(null, message, createPublicKey({ key: der, format: "der", type: "spki" }), signature);
}

// Signed notes, cosignatures, trees and proofs: docs/log.md
function openNote(data, vkeys) { // the text, and the time of each trusted signature (0: has none)
  const text = utf8(data), cut = text.lastIndexOf("\n\n") + 1, body = text.slice(0, cut), by = new Map();
  need(cut > 0 && text.endsWith("\n"), "A signed note is cut off.");
  for (const line of text.slice(cut + 1, -1).split("\n")) {
    const [dash, name, blob, ...more] = line.split(" ");
    need(dash === "—" && name && blob && !more.length, "A signature line is malformed.");
    const data = base64(blob);
    for (const vkey of vkeys) {
      const [holder, id, key] = vkey.split(/\+(.{8})\+/), material = base64(key);
      if (holder !== name || hex(data.subarray(0, 4)) !== id) continue;
      const cosigned = material[0] === 4, seconds = cosigned ? data.readBigUInt64BE(4) : 0n;
      const message = (cosigned ? `cosignature/v1\ntime ${seconds}\n` : "") + body;
      need(signed(material.subarray(1), Buffer.from(message), data.subarray(cosigned ? 12 : 4)), `The signature of ${name} is not good.`);
      by.set(vkey, Number(seconds) * 1000);
    }
  }
  return { body, by };
}
const node = (left, right) => sha(Buffer.from([1]), left, right);
function tree(hashes) {
  if (hashes.length < 2) return hashes[0] ?? sha("");
  let left = 1;
  while (left * 2 < hashes.length) left *= 2;
  return node(tree(hashes.slice(0, left)), tree(hashes.slice(left)));
}
const leafHash = (data) => sha(Buffer.from([0]), data);
function climb(hash, index, size, path) { // from a leaf to the root, RFC 9162 2.1.3.2
  let last = size - 1;
  for (const sibling of path) {
    need(last > 0, "A proof is too long.");
    if (index & 1 || index === last) {
      hash = node(sibling, hash);
      while (!(index & 1) && index) { index >>>= 1; last >>>= 1; }
    } else hash = node(hash, sibling);
    index >>>= 1; last >>>= 1;
  }
  need(last === 0, "A proof is too short.");
  return hash;
}
function openCheckpoint(data, policy) {
  const { body, by } = openNote(data, [policy.log.vkey, ...policy.witnesses]);
  const [origin, size, root, ...rest] = body.split("\n"), witnesses = policy.witnesses.filter((each) => by.has(each));
  need(by.has(policy.log.vkey) && origin === policy.log.vkey.split("+")[0] && rest.length >= 1, "The log did not sign its checkpoint.");
  need(witnesses.length >= policy.witness_quorum, "Too few witnesses cosigned the log.");
  const times = witnesses.map((each) => by.get(each)).filter((when) => when <= now + 300_000).sort((a, b) => b - a);
  return { size: Number(size), root: base64(root), when: policy.witness_quorum ? times[policy.witness_quorum - 1] ?? 0 : now };
}

// The root of trust and what its keys say is published now: TUF, with one form for each file
function canonical(value) { // OLPC canonical JSON: what is signed
  if (Array.isArray(value)) return `[${value.map(canonical)}]`;
  if (value && typeof value === "object") return `{${Object.keys(value).sort().map((key) => `${canonical(key)}:${canonical(value[key])}`)}}`;
  return typeof value === "string" ? `"${value.replace(/["\\]/g, "\\$&")}"` : String(value);
}
const sorted = (value) => value && typeof value === "object" && !Array.isArray(value) ? Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])])) : Array.isArray(value) ? value.map(sorted) : value;
function openMetadata(data, role, roots, version) {
  let file;
  try { file = JSON.parse(utf8(data)); } catch { need(false, `${role} is not JSON.`); }
  need(JSON.stringify(sorted(file)) === utf8(data) && file.signed._type === role, `${role} is not in its one form.`);
  const message = Buffer.from(canonical(file.signed)), good = new Set();
  for (const { keyid, sig } of file.signatures) {
    const named = (roots ?? [file.signed]).find((root) => root.roles[role].keyids.includes(keyid));
    const key = named?.keys[keyid], { keytype, keyval, scheme } = key ?? {};
    need(key && keytype === "ed25519" && hex(sha(canonical({ keytype, keyval, scheme }))) === keyid, `${role} is signed by an unknown key.`);
    need(/^[0-9a-f]{128}$/.test(sig) && signed(Buffer.from(keyval.public, "hex"), message, Buffer.from(sig, "hex")), `A signature of ${role} is not good.`);
    good.add(keyid);
  }
  for (const { roles } of roots ?? [file.signed])
    need(roles[role].keyids.filter((id) => good.has(id)).length >= roles[role].threshold, `${role} is signed by too few keys.`);
  need(version === undefined || file.signed.version === version, `${role} has another version than it should.`);
  return file.signed;
}
function named(path, { length, hashes }) {
  const data = read(path);
  need(data.length === length && hex(sha(data)) === hashes.sha256, `${path} is not the file that was signed for.`);
  return data;
}
let root = read("metadata/1.root.json");
need(hex(sha(root)) === fingerprint.toLowerCase(), "The root of trust has another fingerprint.");
root = openMetadata(root, "root");
for (let next; existsSync(`${folder}/metadata/${(next = root.version + 1)}.root.json`);) {
  const data = read(`metadata/${next}.root.json`);
  root = openMetadata(data, "root", [root, JSON.parse(data).signed], next);
}
const inForce = (file) => { need(Date.parse(file.expires) > now, `${file._type} expired on ${file.expires}.`); return file; };
inForce(root);
const timestamp = inForce(openMetadata(read("metadata/timestamp.json"), "timestamp", [root]));
need(Date.parse(timestamp.expires) <= now + (root["x-strandline-policy"].fresh_hours + 1) * 3600_000, "The timestamp is dated ahead of this clock, or was signed for too long.");
const about = (by, name) => ({ path: `metadata/${by.meta[name].version}.${name}`, ...by.meta[name] });
let meta = about(timestamp, "snapshot.json");
meta = about(inForce(openMetadata(named(meta.path, meta), "snapshot", [root], meta.version)), "targets.json");
const { targets } = inForce(openMetadata(named(meta.path, meta), "targets", [root], meta.version));

// The newest edition: its manifest, the log, the certificates
const policy = root["x-strandline-policy"];
const edition = Object.keys(targets).filter((path) => path.endsWith("/manifest")).sort().at(-1).split("/")[1];
const logged = (path, data) => {
  const [head, ...rest] = utf8(read(`${path}.proof`)).split("\n\n"), [magic, index, ...hashes] = head.split("\n");
  need(magic === "c2sp.org/tlog-proof@v1" && /^index \d+$/.test(index), `${path}.proof is not a proof.`);
  const checkpoint = openCheckpoint(Buffer.from(rest.join("\n\n")), policy), at = Number(index.slice(6));
  need(at < checkpoint.size && climb(leafHash(data), at, checkpoint.size, hashes.map(base64)).equals(checkpoint.root), `${path} is not in the log.`);
  return checkpoint;
};
const signedBy = (path, vkey) => { const data = named(path, targets[path]), note = openNote(data, [vkey]); need(note.by.has(vkey), `${path} is not signed.`); return [data, note.body]; };
const [note, text] = signedBy(`editions/${edition}/manifest`, policy.publisher.vkey);
const lines = text.split("\n").slice(0, -1), value = (name) => lines.find((line) => line.startsWith(`${name} `)).slice(name.length + 1);
need(lines[0] === `${policy.origin}/list` && value("format") === "2" && Number(value("edition")) === Number(edition), "The manifest is of another list, format or edition.");
need(Date.parse(value("published")) <= now + 3600_000, "The edition is dated ahead of this clock.");
const first = logged(`editions/${edition}/manifest`, note), latest = openCheckpoint(read("log/checkpoint"), policy);
need(latest.when > now - policy.fresh_hours * 3600_000, "The log was not cosigned lately: an old state may be shown.");
const leaves = []; // every leaf's hash; a reader of large logs would fetch only the tiles it needs
for (let n = 0; n * 256 < latest.size; n++) {
  const width = Math.min(256, latest.size - n * 256), digits = String(n).padStart(3, "0").padStart(3 * Math.ceil(String(n).length / 3), "0").match(/.../g);
  const tile = read(`log/tile/0/${digits.map((part, i) => (i < digits.length - 1 ? "x" : "") + part).join("/")}${width < 256 ? `.p/${width}` : ""}`);
  for (let i = 0; i < width; i++) leaves.push(tile.subarray(32 * i, 32 * i + 32));
}
need(tree(leaves).equals(latest.root) && latest.size >= first.size && tree(leaves.slice(0, first.size)).equals(first.root), "The log contradicts itself.");
const vouched = policy.hotlines.filter(({ name }) => targets[`editions/${edition}/certificate.${name}`]).map(({ name, jurisdiction, vkey }) => {
  const path = `editions/${edition}/certificate.${name}`, [data, text] = signedBy(path, vkey), said = text.split("\n");
  const head = [`${policy.origin}/certificate`, "format 2", `edition ${Number(edition)}`, `manifest ${hex(sha(lines.join("\n"), "\n"))}`, `hotline ${name}`];
  need(head.every((line, at) => said[at] === line), `${path} is about something else.`);
  logged(path, data);
  return { jurisdiction, said: new Set(said) };
});

// Classes: the index and its root, then the pages
function unpack(state, count) {
  const out = [];
  while (out.length < count) {
    const some = Math.min(1024, count - out.length), base = state.data.readBigUInt64LE(state.at), width = state.data[state.at + 8];
    let bit = 8 * (state.at + 9);
    for (let i = 0; i < some; i++) {
      let offset = 0n;
      for (let b = 0; b < width; b++, bit++) offset |= BigInt((state.data[bit >> 3] >> (bit & 7)) & 1) << BigInt(b);
      out.push(base + offset);
    }
    state.at = Math.ceil(bit / 8);
  }
  return out;
}
const unfold = (n) => (n & 1n ? -(n + 1n) / 2n : n / 2n);
function running(start, steps) { const out = [BigInt(start)]; for (const step of steps) out.push(out.at(-1) + step); return out; }
function openPage(path, data) {
  const [magic, head] = data.subarray(0, 1 << 22).toString().split("\n", 2), header = JSON.parse(head);
  need(magic === "strandline page 2" && header.path === path, `${path} is not that page.`);
  return { header, state: { data, at: magic.length + head.length + 2 } };
}
function readCore(path, data) {
  const { header: { rows, first, reasons, pipelines }, state } = openPage(path, data);
  const sequence = running(first[0], unpack(state, rows - 1)), number = running(first[1], unpack(state, rows - 1).map(unfold));
  const [action, kind, reason, pipeline] = [0, 1, 2, 3].map(() => unpack(state, rows));
  return sequence.map((sequence, i) => ({ sequence, number: number[i], action: ACTIONS[action[i]], kind: KINDS[kind[i]], reason: ["", ...reasons][reason[i]], pipeline: ["", ...pipelines][pipeline[i]], hashes: {} }));
}
function readColumn(path, data, events) {
  const { header, state } = openPage(path, data), column = path.split(".")[1], film = column === "video";
  const present = unpack(state, header.rows), hashes = film ? header.frames : header.values;
  const counts = film ? unpack(state, header.values).map(Number) : [], ms = film ? running(0, unpack(state, hashes).map(unfold)).slice(1) : [];
  const quality = film || column === "pdq" ? unpack(state, hashes).map(Number) : [], width = COLUMNS[column];
  need(data.length === state.at + hashes * width, `${path} has another length than it says.`);
  const hash = (k) => hex(data.subarray(state.at + k * width, state.at + (k + 1) * width));
  let k = 0;
  for (const [i, event] of events.entries()) {
    if (!present[i]) continue;
    if (film) event.hashes.video = Array.from({ length: counts.shift() }, () => [Number(ms[k]), quality[k], hash(k++)]);
    else Object.assign(event.hashes, { [column]: hash(k) }, column === "pdq" ? { quality: quality[k] } : {}), k++;
  }
}
const entries = new Map();
for (const line of lines.filter((line) => line.startsWith("class "))) {
  const [, id, count, quarantined, highest, classRoot, ...name] = line.split(" "), held = new Map();
  let last = 0n;
  const jurisdictions = new Set([policy.publisher.jurisdiction, ...vouched.filter(({ said }) => said.has(`class ${id} ${classRoot}`)).map((each) => each.jurisdiction)]);
  need(jurisdictions.size >= policy.certification, `Class ${id} is certified in too few jurisdictions.`);
  need(hex(sha(name.join(" "))).startsWith(id), `Class ${id} has another name.`);
  const whole = utf8(read(`editions/${edition}/${id}.index`)), index = whole.split("\n").slice(0, -1), files = index.slice(6).map((each) => each.split(" "));
  const leaf = ([path, size, rows, digest, salt]) => leafHash(Buffer.from(`${path} ${size} ${rows} ${hex(sha(Buffer.from(salt + digest, "hex")))}`));
  const top = leafHash(Buffer.from(index.slice(0, 6).join("\n") + "\n"));
  need(hex(tree([top, ...files.map(leaf)])) === classRoot, `The index of class ${id} is not the one that was signed.`);
  const snapshot = Number(index[3].slice("snapshot ".length)), place = new RegExp(`^(editions|snapshots)/\\d{6}/${id}/\\d{6}\\.(core|${Object.keys(COLUMNS).join("|")})$`);
  need(index[0] === `${policy.origin}/index` && index[1] === "format 2" && index[2] === `class ${name.join(" ")}` && files.every((file) => file.length === 5 && place.test(file[0]) && /^[0-9a-f]{64}$/.test(file[3]) && /^[0-9a-f]{32}$/.test(file[4])) && whole.endsWith("\n"), `The index of class ${id} is malformed.`);
  const current = files.filter(([path]) => path.startsWith("snapshots/") || Number(path.split("/")[1]) > snapshot);
  for (const page of new Set([...current.filter(([path]) => path[0] === "s"), ...current].map(([path]) => path.split(".")[0]))) {
    const parts = current.filter(([path]) => path.startsWith(`${page}.`) && columns.has(path.split(".")[1])).map(([path, size, , digest]) => [path, named(path, { length: Number(size), hashes: { sha256: digest } })]);
    const events = readCore(...parts.find(([path]) => path.endsWith(".core")));
    for (const [path, data] of parts) if (!path.endsWith(".core")) readColumn(path, data, events);
    for (const { sequence, number, action, kind, pipeline, hashes } of events) {
      const before = held.get(number), fits = { add: !before, amend: before, withdraw: before, quarantine: kind ? !before : before && !before.quarantined, restore: before?.quarantined };
      need(fits[action] && sequence > last && sequence <= BigInt(highest), `The events about entry-${number} contradict each other.`);
      last = sequence;
      if (kind) held.set(number, { entry: `entry-${number}`, class: name.join(" "), kind, pipeline, quarantined: before?.quarantined ?? false, ...hashes });
      if (action === "withdraw") held.delete(number);
      else if (action !== "amend") held.get(number).quarantined = action === "quarantine";
    }
  }
  need(held.size === Number(count) && [...held.values()].filter((each) => each.quarantined).length === Number(quarantined), `Class ${id} does not have the entries that the manifest counts.`);
  held.forEach((entry, number) => entries.set(number, entry));
}
[...entries.keys()].sort((a, b) => (a < b ? -1 : 1)).forEach((number) => console.log(JSON.stringify(entries.get(number))));
