// Cases that this release does not pass yet, by name. The list only shrinks; what it leaves out is
// counted and said in the report.

/** Names of published cases that are not run. */
export const pending: ReadonlySet<string> = new Set([
  'MSGENC-HTTPS-M-1-14',
  'MSGENC-JSON-M-1-14',
  'MSGENC-XML-M-1-14',
  'SUITEB-128-M-1-14',
  'SUITEB-192-M-1-14',
  'TC-NP-1-14',
  'TC-NP-2-14',
  'TC-OTP-1-14',
  'TC-OTP-2-14',
  'TC-OTP-3-14',
  'TC-OTP-4-14',
  'TC-OTP-5-14',
])
