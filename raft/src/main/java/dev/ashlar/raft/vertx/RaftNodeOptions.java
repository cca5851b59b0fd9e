package dev.ashlar.raft.vertx;

import dev.ashlar.raft.driver.DriverOptions;
import io.vertx.core.net.KeyCertOptions;
import io.vertx.core.net.TrustOptions;
import java.util.Optional;

/**
 * How a member is reached and reaches others.
 *
 * @param host the address that it listens on
 * @param port the port, 0 for any free one
 * @param advertise where others reach it, {@code host:port}; empty for where it listens
 * @param driver limits of the driver
 * @param tickMillis how long a tick is
 * @param frameBytesMax the largest frame that is taken from a peer
 * @param queueBytesMax how many bytes may wait to be sent on one lane, or one message
 * @param connectMillis after how long a connection that is not made is given up
 * @param stuckMillis after how long a write that has not ended ends the member
 * @param secret that all members share
 * @param tls mutual TLS, where it is wanted
 * @param release which release this is, for others to show
 */
public record RaftNodeOptions(
    String host,
    int port,
    Optional<String> advertise,
    DriverOptions driver,
    int tickMillis,
    int frameBytesMax,
    int queueBytesMax,
    int connectMillis,
    int stuckMillis,
    ClusterSecret secret,
    Optional<Tls> tls,
    String release) {

  /** On a free port of the loopback address. */
  public static final RaftNodeOptions DEFAULT =
      new RaftNodeOptions(
          "127.0.0.1",
          0,
          Optional.empty(),
          DriverOptions.DEFAULT,
          20,
          24 << 20,
          32 << 20,
          2000,
          120_000,
          ClusterSecret.NONE,
          Optional.empty(),
          "unknown");

  /**
   * Both sides show a certificate.
   *
   * @param identity this member's
   * @param trust who may be a member
   */
  public record Tls(KeyCertOptions identity, TrustOptions trust) {}

  /** Checks the ranges. */
  public RaftNodeOptions {
    if (port < 0
        || port > 65535
        || tickMillis < 1
        || frameBytesMax < 17 << 20
        || queueBytesMax < 1
        || connectMillis < 1) {
      throw new IllegalArgumentException("a limit of the peer connections is out of range");
    }
  }

  /** The same at another address. */
  public RaftNodeOptions at(String newHost, int newPort, Optional<String> newAdvertise) {
    return new RaftNodeOptions(
        newHost,
        newPort,
        newAdvertise,
        driver,
        tickMillis,
        frameBytesMax,
        queueBytesMax,
        connectMillis,
        stuckMillis,
        secret,
        tls,
        release);
  }

  /** The same with other limits of the driver. */
  public RaftNodeOptions withDriver(DriverOptions newDriver) {
    return new RaftNodeOptions(
        host,
        port,
        advertise,
        newDriver,
        tickMillis,
        frameBytesMax,
        queueBytesMax,
        connectMillis,
        stuckMillis,
        secret,
        tls,
        release);
  }

  /** The same with a secret and TLS. */
  public RaftNodeOptions secured(ClusterSecret newSecret, Optional<Tls> newTls) {
    return new RaftNodeOptions(
        host,
        port,
        advertise,
        driver,
        tickMillis,
        frameBytesMax,
        queueBytesMax,
        connectMillis,
        stuckMillis,
        newSecret,
        newTls,
        release);
  }

  /** The same with another bound of how long a write may take. */
  public RaftNodeOptions stuckAfter(int millis) {
    return new RaftNodeOptions(
        host,
        port,
        advertise,
        driver,
        tickMillis,
        frameBytesMax,
        queueBytesMax,
        connectMillis,
        millis,
        secret,
        tls,
        release);
  }

  /** The same of another release. */
  public RaftNodeOptions released(String newRelease) {
    return new RaftNodeOptions(
        host,
        port,
        advertise,
        driver,
        tickMillis,
        frameBytesMax,
        queueBytesMax,
        connectMillis,
        stuckMillis,
        secret,
        tls,
        newRelease);
  }
}
