// `prepack` of the sources: what is here is TypeScript, which Node does not run under node_modules.
process.stderr.write(
  'error: the sources cannot be installed as a package; npm run build, then npm pack ./dist/ttlv-codec ./dist/keyreel\n',
)
process.exit(1)
