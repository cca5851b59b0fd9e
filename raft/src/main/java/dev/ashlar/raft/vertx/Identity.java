package dev.ashlar.raft.vertx;

import dev.ashlar.raft.core.MemberId;
import dev.ashlar.raft.driver.Features;
import java.util.List;
import java.util.UUID;

/**
 * Who a member is, as it introduces itself. Known bit by bit while it starts; for its context
 * alone.
 */
final class Identity {

  private final long features;
  private MemberId member = new MemberId(Hello.NOBODY);
  private UUID cluster = Hello.NOBODY;
  private String address = "";
  private List<String> initial = List.of();

  /**
   * @param features what this release knows, of {@link Features}
   */
  Identity(long features) {
    this.features = features;
  }

  MemberId member() {
    return member;
  }

  /** Its cluster, {@link Hello#NOBODY} while it has none. */
  UUID cluster() {
    return cluster;
  }

  /** Where others reach it. */
  String address() {
    return address;
  }

  /** The initial cluster that it was started with, while it is being founded. */
  List<String> initial() {
    return initial;
  }

  void is(MemberId newMember) {
    member = newMember;
  }

  void belongsTo(UUID newCluster) {
    cluster = newCluster;
  }

  void isReachedAt(String newAddress) {
    address = newAddress;
  }

  void foundsWith(List<String> addresses) {
    initial = addresses;
  }

  Hello hello(Hello.Purpose purpose, MemberId to) {
    return new Hello(
        Hello.VERSION, purpose, features, cluster, member, to, address, initial, UUID.randomUUID());
  }
}
