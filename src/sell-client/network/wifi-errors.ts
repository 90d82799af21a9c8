/** What can keep a machine from its Wi-Fi network, as its seller reads it. */
import { CodedError } from '../../shared/errors.ts';

export class WifiError extends CodedError<
  | 'WIFI_NOT_IN_IMAGE'
  | 'WIFI_NO_CARD'
  | 'WIFI_NETWORK_NOT_FOUND'
  | 'WIFI_KEY_REFUSED'
  | 'WIFI_REFUSED'
  | 'WIFI_CLIENT_FAILED'
> {}

export function notInImage(): WifiError {
  return new WifiError('WIFI_NOT_IN_IMAGE', 'the configuration asks for Wi-Fi, and this image has none', {
    nextStep: 'write the wifi image (cpushare-seller-wifi.iso) to the stick, or plug in a cable',
  });
}

export function noCard(): WifiError {
  return new WifiError('WIFI_NO_CARD', 'no Wi-Fi card was found that this image can drive', {
    nextStep: 'plug in a cable, or a Wi-Fi adapter that hardware.html, published with this image, lists',
  });
}

export function notFound(): WifiError {
  return new WifiError('WIFI_NETWORK_NOT_FOUND', 'the Wi-Fi network of the configuration is not in reach', {
    nextStep:
      'check "networkName" (capital letters count) and the distance; a network without a name needs "hidden": true',
  });
}

export function keyRefused(): WifiError {
  return new WifiError('WIFI_KEY_REFUSED', 'the Wi-Fi network does not take the key of the configuration', {
    nextStep: 'correct "key" in cpushare.json, then restart; the same key is tried again in a minute',
  });
}

export function refused(detail: string): WifiError {
  return new WifiError('WIFI_REFUSED', `the Wi-Fi network refused this machine (${detail})`, {
    nextStep: 'check that the router lets new devices in; it is tried again by itself',
  });
}

export function clientFailed(what: string, line: string): WifiError {
  return new WifiError('WIFI_CLIENT_FAILED', `${what} ended: ${line || 'no reason given'}`, {
    nextStep: 'it is started again by itself; restart the machine if this stays',
  });
}
