/** Ping – KMIP 2.1 §6.1.36. The server is alive. */
import { operation } from './operation.ts'

export const ping = operation('Ping', { effect: 'none', run: () => Promise.resolve({}) })
