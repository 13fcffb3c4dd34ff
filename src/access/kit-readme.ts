/** README.txt of an enrolment kit: what to paste where, in the words of library consoles. */
import type { Pkcs12Form } from '../crypto/certificates-pkcs12.ts'
import { withColons, type Certificate } from '../crypto/certificates.ts'
import type { KeyPair } from '../crypto/key-pairs.ts'
import { dateOf } from './identity.ts'

/** What a kit is about. */
export interface KitContent {
  name: string
  group: string
  certificate: Certificate
  authority: Certificate
  /** Only when the key was made here. It is kept nowhere: the kit holds the only copy. */
  privateKey?: KeyPair['privateKey']
}

interface Reach {
  servers: readonly string[]
  port: number
  pkcs12: Pkcs12Form
}

/** The text, wrapped for a terminal. What is not in the kit is not mentioned. */
export function kitReadme(content: KitContent, { servers, port, pkcs12 }: Reach): string {
  const { name, group, certificate, authority, privateKey } = content
  const hasKey = privateKey !== undefined
  return `keyreel: enrolment kit of library ${name}
${'='.repeat(34 + name.length)}

Library      ${name}, group ${group}
Certificate  ${certificate.subject}
             valid ${dateOf(certificate.notBefore)} to ${dateOf(certificate.notAfter)}
             SHA-256 ${fingerprintLines(certificate.fingerprint)}
Server CA    ${authority.subject}
             valid to ${dateOf(authority.notAfter)}
             SHA-256 ${fingerprintLines(authority.fingerprint)}

${hasKey ? secrecy : ''}What to enter in the library's console
--------------------------------------

  Encryption type, key manager type     KMIP (library managed encryption)
  Server address, host, IP address      ${servers.join('\n                                        ')}
  Port                                  ${port}
  CA certificate, root certificate,     ca.pem
    trusted certificate
${hasKey ? ownKeyFields(pkcs12) : givenKeyFields}  User name and password                leave empty, unless one was set with
                                        keyreel library credential add

One library, one kit. Do not give the same certificate to two libraries.

In the words of some libraries
------------------------------
Menus differ by model and firmware; where yours says otherwise, the list above decides.

${vendorNotes(hasKey)}
Enter several key servers in the order in which they shall be tried.${hasKey ? ownRequest : ''}

Then run the library's own test (Quantum: EKM path diagnostics; others: connectivity
test). On the server, keyreel library show ${name} tells when it was last seen; the log
says why when a connection is refused, with the certificate that was shown.

Before ${dateOf(certificate.notAfter)} make a new kit:  keyreel library renew ${name}${hasKey ? '' : ' --csr FILE'} --out DIR
The old certificate stays good until then, so there is no hurry between the two.
When the library is sold or its key may be known to others:
  keyreel library revoke ${name}
`
}

const secrecy = `Keep this directory secret: key.pem and client.p12 with password.txt let anyone act
as this library. They are stored nowhere else. Delete the directory once the library
works, or keep it where you keep passwords.

`

function ownKeyFields(form: Pkcs12Form): string {
  const protection =
    form === 'legacy' ? '(3DES and SHA-1, for old firmware)' : '(AES-256; if refused: --p12 legacy)'
  return `  and then either
    Client certificate, PKCS#12 file    client.p12
                                        ${protection}
    PKCS#12 password                    the line in password.txt
  or
    Client certificate                  certificate.pem
    Private key                         key.pem
`
}

const givenKeyFields = `  Client certificate, signed            certificate.pem
    certificate (the library has its
    private key already)
`

/** Words only, no menu paths: those change with every firmware. */
function vendorNotes(hasKey: boolean): string {
  const notes = hasKey
    ? [
        [
          'Quantum Scalar',
          'root certificate ca.pem; client certificate client.p12,',
          'with its password',
        ],
        [
          'HPE MSL, 1/8 G2',
          'KMIP wizard: certificate authority: paste ca.pem;',
          'library certificate and key: certificate.pem, key.pem',
        ],
        [
          'IBM, Dell, BDT',
          'CA certificate ca.pem; client certificate client.p12,',
          'with its password',
        ],
        [
          'Spectra',
          'CA certificate ca.pem; client certificate and private',
          'key: certificate.pem, key.pem',
        ],
      ]
    : [
        ['Quantum Scalar', 'root certificate ca.pem; client certificate', 'certificate.pem'],
        [
          'HPE MSL, 1/8 G2',
          'KMIP wizard: certificate authority: paste ca.pem;',
          'signed library certificate: paste certificate.pem',
        ],
        ['IBM, Dell, BDT', 'CA certificate ca.pem; signed certificate', 'certificate.pem'],
        ['Spectra', 'CA certificate ca.pem; client certificate', 'certificate.pem'],
      ]
  return notes
    .map(
      ([vendor = '', ...lines]) => `  ${vendor.padEnd(18)}${lines.join(`\n${' '.repeat(20)}`)}\n`,
    )
    .join('')
}

const ownRequest = `
A library that makes its key itself and asks for a signed certificate needs no key from
here: export its request (CSR) and use  keyreel library add NAME --csr FILE`

/** Two lines of 16 bytes: fits a terminal, and is how people read it aloud. */
function fingerprintLines(fingerprint: string): string {
  const text = withColons(fingerprint)
  return `${text.slice(0, 48)}\n                     ${text.slice(48)}`
}
