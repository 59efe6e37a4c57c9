/** Option names that hooks/platformio.py reads as `custom_ota_NAME`. */
export const platformioOptions = [
  'node',
  'cli',
  'config',
  'public_key',
  'private_key',
  'passphrase_env',
  'project',
  'firmware_version',
  'compression',
  'legacy',
  'unsigned',
  'require_signed',
  'sign_compressed_filesystem',
  'enforcement',
  'allow',
  'upload',
].map((name) => `custom_ota_${name}`);
