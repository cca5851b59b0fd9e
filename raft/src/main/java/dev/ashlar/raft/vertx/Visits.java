package dev.ashlar.raft.vertx;

import dev.ashlar.raft.core.MemberId;
import dev.ashlar.raft.core.Membership;
import dev.ashlar.raft.driver.AdminCommand;
import dev.ashlar.raft.driver.Features;
import dev.ashlar.raft.driver.PeerMessage;
import dev.ashlar.raft.driver.RaftDriver;
import dev.ashlar.raft.replication.WriteResult;
import io.vertx.core.Future;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** What a member does for those who connect to it. For its context alone. */
final class Visits implements PeerServer.Visitors {

  private final Identity identity;
  private final Peers peers;
  private final Supplier<Optional<RaftDriver>> driver;
  private final BooleanSupplier isClosed;
  private final Function<AdminCommand, Future<WriteResult>> admin;
  private final Supplier<Future<String>> status;

  /**
   * @param driver empty while the member is being formed
   * @param admin asks the leader for a change
   * @param status what this member says of itself
   */
  Visits(
      Identity identity,
      Peers peers,
      Supplier<Optional<RaftDriver>> driver,
      BooleanSupplier isClosed,
      Function<AdminCommand, Future<WriteResult>> admin,
      Supplier<Future<String>> status) {
    this.identity = identity;
    this.peers = peers;
    this.driver = driver;
    this.isClosed = isClosed;
    this.admin = admin;
    this.status = status;
  }

  @Override
  public @Nullable String refusal(Hello hello) {
    if (isClosed.getAsBoolean()) {
      return "the member is stopping";
    }
    if (hello.purpose() == Hello.Purpose.DISCOVER) {
      return null;
    }
    boolean takesPart = hello.purpose() != Hello.Purpose.STATUS;
    boolean knowsRoots = (hello.features() & Features.ROOTS) != 0;
    if (takesPart && !knowsRoots && driver.get().filter(RaftDriver::hasRoots).isPresent()) {
      return "this cluster has pins or references, of which the calling release does not know: run"
          + " the one that the members run";
    }
    if (hello.purpose() == Hello.Purpose.JOIN) {
      return null;
    }
    if (!hello.cluster().equals(identity.cluster())) {
      return "this member belongs to cluster " + identity.cluster() + ", not to " + hello.cluster();
    }
    boolean asksAnybody =
        hello.purpose() == Hello.Purpose.STATUS && hello.to().uuid().equals(Hello.NOBODY);
    return asksAnybody || hello.to().equals(identity.member())
        ? null
        : "member " + identity.member() + " is reached here, not " + hello.to();
  }

  @Override
  public void welcomed(Hello hello) {
    boolean sameCluster = hello.cluster().equals(identity.cluster());
    if (sameCluster && !identity.cluster().equals(Hello.NOBODY)) {
      peers.introduced(hello.from(), hello.address(), hello.features());
    }
  }

  @Override
  public boolean isMember(MemberId visitor) {
    return peers.isMember(visitor);
  }

  @Override
  public void message(MemberId from, PeerMessage message) {
    peers.heard(from);
    driver.get().ifPresent(running -> running.receive(from, message));
  }

  @Override
  public Future<String> answer(Hello hello) {
    return switch (hello.purpose()) {
      case JOIN -> add(hello);
      case STATUS -> status.get();
      default -> discovered();
    };
  }

  private Future<String> discovered() {
    if (driver.get().isPresent()) {
      Membership membership = driver.get().get().core().status().membership();
      return Future.succeededFuture(
          new Discovery(
                  identity.member(),
                  Optional.of(identity.cluster()),
                  List.copyOf(membership.addresses().values()),
                  membership.members().stream().map(MemberId::toString).toList())
              .encode());
    }
    if (identity.initial().isEmpty()) {
      return Future.failedFuture(new FrameException("the member is starting"));
    }
    return Future.succeededFuture(
        new Discovery(identity.member(), Optional.empty(), identity.initial(), List.of()).encode());
  }

  private Future<String> add(Hello hello) {
    if (driver.get().isEmpty() || !hello.cluster().equals(identity.cluster())) {
      return Future.failedFuture(new FrameException("there is no such cluster here"));
    }
    AdminCommand.Add command;
    try {
      command = new AdminCommand.Add(hello.from(), hello.address(), true);
    } catch (IllegalArgumentException e) {
      return Future.failedFuture(new FrameException(String.valueOf(e.getMessage())));
    }
    if (Loopback.isIn(identity.address()) != Loopback.isIn(hello.address())) {
      return Future.failedFuture(
          new FrameException(
              "this member is reached at "
                  + identity.address()
                  + " and the new one at "
                  + hello.address()
                  + ": one of them is loopback, see --advertise"));
    }
    return admin
        .apply(command)
        .map(
            result -> {
              if (result instanceof WriteResult.Done) {
                return "added";
              }
              throw new FrameException("the change was not made: " + result);
            });
  }
}
