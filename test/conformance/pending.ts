// Cases that this release does not pass yet, by name. The list only shrinks; what it leaves out is
// counted and said in the report.

/** Names of published cases that are not run. */
export const pending: ReadonlySet<string> = new Set([
  'MSGENC-HTTPS-M-1-14',
  'MSGENC-JSON-M-1-14',
  'MSGENC-XML-M-1-14',
  'SUITEB-128-M-1-14',
  'SUITEB-192-M-1-14',
  'TC-CREG-1-14',
  'TC-CREG-2-14',
  'TC-CREG-3-14',
  'TC-DERIVEKEY-6-14',
  'TC-NP-1-14',
  'TC-NP-2-14',
  'TC-OTP-1-14',
  'TC-OTP-2-14',
  'TC-OTP-3-14',
  'TC-OTP-4-14',
  'TC-OTP-5-14',
  'BL-M-6-21',
  'BL-M-7-21',
  'BL-M-8-21',
  'BL-M-9-21',
  'BL-M-10-21',
  'BL-M-11-21',
  'BL-M-12-21',
  'BL-M-13-21',
])
