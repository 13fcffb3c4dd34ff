/**
 * What may be asked over HTTP, judged by the head of a request alone: KMIP Profiles 2.1 "HTTPS" (POST to
 * one path, the three content types), RFC 9110. Everything else gets the status that says why.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { bodyEncodings, type BodyEncoding } from './body-encodings.ts'

/** The head of a request. */
export interface RequestHead {
  readonly method?: string | undefined
  readonly url?: string | undefined
  readonly headers: IncomingHttpHeaders
}

/** A refusal in HTTP's own words. */
export interface HttpRefusal {
  readonly status: number
  readonly text: string
  readonly headers?: Readonly<Record<string, string>>
}

/** Finds the encoding of the body that a head announces, or why there will be no answer in KMIP. */
export function judgeHead(
  { method, url = '', headers }: RequestHead,
  { path, maxBytes }: { readonly path: string; readonly maxBytes: number },
): { readonly encoding: BodyEncoding } | { readonly refusal: HttpRefusal } {
  const refuse = (status: number, text: string, more?: Record<string, string>) => ({
    refusal: { status, text, ...(more && { headers: more }) },
  })
  if (url.replace(/\?.*$/su, '') !== path) return refuse(404, `KMIP is at ${path}`)
  if (method !== 'POST') return refuse(405, 'KMIP messages are sent with POST', { Allow: 'POST' })
  const [type = '', ...parameters] = (headers['content-type'] ?? '')
    .split(';')
    .map((part) => part.trim().toLowerCase())
  const encoding = bodyEncodings.find(({ contentType }) => contentType === type)
  const accepted = bodyEncodings.map(({ contentType }) => contentType).join(', ')
  const isUtf8 = parameters.every((parameter) => !/^charset="?(?!utf-8"?$)/u.test(parameter))
  if (encoding === undefined || !isUtf8) {
    return refuse(415, `Content-Type must be one of ${accepted}, in UTF-8`, {
      'Accept-Post': accepted,
    })
  }
  if ((headers['content-encoding'] ?? 'identity') !== 'identity') {
    return refuse(415, 'a compressed body is not taken', { 'Accept-Encoding': 'identity' })
  }
  if (Number(headers['content-length'] ?? 0) > maxBytes) return refuse(413, tooLong(maxBytes))
  return { encoding }
}

/** The words of status 413. */
export function tooLong(maxBytes: number): string {
  return `a message may have ${maxBytes} bytes`
}
