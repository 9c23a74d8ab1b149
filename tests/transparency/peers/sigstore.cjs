// Checks a checkpoint and a proof of inclusion with @sigstore/verify (npm, Apache-2.0).
const { createPublicKey } = require('crypto');
const { verifyCheckpoint } = require('@sigstore/verify/dist/tlog/checkpoint.js');
const { verifyMerkleInclusion } = require('@sigstore/verify/dist/tlog/merkle.js');

const given = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const [name, id, ...rest] = given.Vkey.split('+');
const raw = Buffer.from(rest.join('+'), 'base64').subarray(1);
const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), raw]);
const log = {
  logID: Buffer.from(id, 'hex'),
  baseURL: name,
  publicKey: createPublicKey({ key: spki, format: 'der', type: 'spki' }),
};
const entry = {
  canonicalizedBody: Buffer.from(given.Leaf, 'hex'),
  inclusionProof: {
    logIndex: String(given.Index),
    hashes: given.Inclusion.map((one) => Buffer.from(one, 'hex')),
    checkpoint: { envelope: given.Note },
  },
};
const checks = { note: false, inclusion: false };
try {
  const checkpoint = verifyCheckpoint(entry, [log]);
  checks.note = checkpoint.origin === name && checkpoint.logSize === BigInt(given.Size);
  verifyMerkleInclusion(entry, checkpoint);
  checks.inclusion = true;
} catch (error) {
  if (error.code === undefined) throw error;
}
console.log(JSON.stringify({ checks }));
