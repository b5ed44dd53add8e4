// A passkey device without hands: the browser's virtual authenticator.
//
// It belongs to one page. With automatic presence it answers at once, so
// autofill on the sign-in page signs in for ever: remove it before signing out.

const DEVICE = {
  protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true,
  isUserVerified: true, automaticPresenceSimulation: true,
};

export class Passkeys {
  /** Gives a page a device. `enable` without a device never ends, so both happen together. */
  static async on(page) {
    const wire = await page.context().newCDPSession(page);
    const enabled = wire.send('WebAuthn.enable');
    const { authenticatorId } = await wire.send('WebAuthn.addVirtualAuthenticator', { options: DEVICE });
    await enabled;
    return new Passkeys(wire, authenticatorId);
  }

  constructor(wire, authenticatorId) {
    Object.assign(this, { wire, authenticatorId });
  }

  /** The passkeys on it. */
  async list() {
    const { authenticatorId } = this;
    return (await this.wire.send('WebAuthn.getCredentials', { authenticatorId })).credentials;
  }

  /** Puts a passkey of another device on it; a lower `signCount` makes it a clone. */
  async carry(credential, change = {}) {
    const { authenticatorId } = this;
    await this.wire.send('WebAuthn.addCredential', { authenticatorId, credential: { ...credential, ...change } });
  }

  /** Whether its owner shows a finger that it knows. */
  async verifies(isUserVerified) {
    const { authenticatorId } = this;
    await this.wire.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified });
  }

  async remove() {
    const { authenticatorId } = this;
    await this.wire.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId });
    await this.wire.send('WebAuthn.disable');
    await this.wire.detach();
  }
}
