import { defineConfig } from 'vitest/config'

/** Unit, property, store and integration tests; the black box runs under tap (`*.tap.ts`). */
export default defineConfig({
  test: { include: ['test/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 60_000 },
})
