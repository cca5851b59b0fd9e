package dev.ashlar.raft.vertx;

import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.net.UnknownHostException;

/** Says whether an address leads out of the machine. Looks no name up, for that blocks. */
final class Loopback {

  private Loopback() {}

  /**
   * @param address HOST:PORT
   */
  static boolean isIn(String address) {
    return isHost(address.substring(0, address.lastIndexOf(':')));
  }

  /** Whether a host is loopback by itself; a name other than localhost is not. */
  static boolean isHost(String host) {
    String plain = host.replace("[", "").replace("]", "");
    if (plain.equals("localhost")) {
      return true;
    }
    byte[] literal = NetUtil.createByteArrayFromIpAddressString(plain);
    try {
      return literal != null && InetAddress.getByAddress(literal).isLoopbackAddress();
    } catch (UnknownHostException e) {
      return false;
    }
  }
}
