package dev.ashlar.http;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** Counts connections, in all and by address, and says when there is one too many. */
final class ConnectionCounter {

  private final int connectionsMax;
  private final int connectionsPerAddressMax;
  private final AtomicInteger connections = new AtomicInteger();
  private final ConcurrentHashMap<String, AtomicInteger> byAddress = new ConcurrentHashMap<>();

  ConnectionCounter(GatewayOptions.Limits limits) {
    this.connectionsMax = limits.connectionsMax();
    this.connectionsPerAddressMax = limits.connectionsPerAddressMax();
  }

  /** Counts a connection; false when it is over a limit. {@link #closed} follows either way. */
  boolean opened(String address) {
    int[] fromAddress = new int[1];
    byAddress.compute(
        address,
        (a, count) -> {
          AtomicInteger counted = count == null ? new AtomicInteger() : count;
          fromAddress[0] = counted.incrementAndGet();
          return counted;
        });
    return connections.incrementAndGet() <= connectionsMax
        && fromAddress[0] <= connectionsPerAddressMax;
  }

  void closed(String address) {
    connections.decrementAndGet();
    byAddress.computeIfPresent(address, (a, count) -> count.decrementAndGet() > 0 ? count : null);
  }
}
