package dev.ashlar.raft.vertx;

import dev.ashlar.block.engine.StorageEngine;
import dev.ashlar.raft.core.MemberId;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes a disk that of a member of a cluster: one that it founds alone, founds with others, or
 * joins. A disk that belongs to a cluster already decides itself. For the member's context alone.
 */
final class Forming {

  private static final Logger LOG = LoggerFactory.getLogger(Forming.class);
  private static final int RETRY_MILLIS = 200;

  private final Vertx vertx;
  private final PeerClient client;
  private final ReplicaExecutor storage;
  private final StorageEngine engine;
  private final Identity identity;
  private boolean stopped;

  Forming(
      Vertx vertx,
      PeerClient client,
      ReplicaExecutor storage,
      StorageEngine engine,
      Identity identity) {
    this.vertx = vertx;
    this.client = client;
    this.storage = storage;
    this.engine = engine;
    this.identity = identity;
  }

  /** Completed when the disk belongs to a cluster, durably; failed when it cannot. */
  Future<Void> form(Formation formation) {
    return storage
        .write(replica -> replica.memberOr(new MemberId(UUID.randomUUID())))
        .compose(
            member -> {
              identity.is(member);
              Optional<UUID> known = engine.cluster();
              if (known.isPresent()) {
                goOn(known.get(), formation);
                return Future.succeededFuture();
              }
              if (formation instanceof Formation.Initial list) {
                return found(list.addresses());
              }
              return formation instanceof Formation.Join join
                  ? join(join)
                  : found(List.of(identity.address()));
            });
  }

  /** Until the log says that this member belongs, somebody has to be asked to add it. */
  void askToBeAdded(List<String> contacts, BooleanSupplier isMember) {
    askToBeAdded(contacts, isMember, 0);
  }

  /** Asks a member what it is. */
  Future<Discovery> discover(String contact) {
    return client
        .ask(contact, identity.hello(Hello.Purpose.DISCOVER, new MemberId(Hello.NOBODY)))
        .map(Discovery::decode);
  }

  void stop() {
    stopped = true;
  }

  private void goOn(UUID known, Formation formation) {
    identity.belongsTo(known);
    if (!(formation instanceof Formation.Alone)) {
      LOG.info(
          "node={} is a member of cluster={} already: its disk decides, {} does not",
          identity.member(),
          known,
          formation);
    }
    if (engine.status().last().index() == 0 && !(formation instanceof Formation.Join)) {
      LOG.warn(
          "node={} has no log yet: if no member calls it, start it with --join", identity.member());
    }
  }

  /** Asks all others until each has answered, unfounded, with the same list. */
  private Future<Void> found(List<String> addresses) {
    if (!addresses.contains(identity.address())) {
      return refused(
          "the initial cluster "
              + addresses
              + " does not name this member, which is reached at "
              + identity.address()
              + ": see --advertise");
    }
    boolean alone = addresses.size() == 1;
    if (!alone && engine.status().last().index() > 0) {
      return refused(
          "the data directory has blocks already: start it alone, and add the others to it");
    }
    identity.foundsWith(addresses);
    Founding founding = new Founding(addresses);
    founding.ask();
    return founding.done.future();
  }

  private Future<Void> foundWith(Map<String, MemberId> founders) {
    UUID id = Discovery.clusterId(founders);
    return storage
        .write(
            replica -> {
              replica.found(id, identity.member(), Discovery.first(founders));
              return id;
            })
        .map(
            done -> {
              identity.belongsTo(id);
              LOG.info(
                  "node={} founded cluster={} members={}",
                  identity.member(),
                  id,
                  founders.keySet());
              return null;
            });
  }

  private Future<Void> join(Formation.Join how) {
    if (engine.status().last().index() > 0) {
      return refused("the data directory has blocks already: only an empty one can join a cluster");
    }
    Promise<Void> joined = Promise.promise();
    askToJoin(how, 0, joined);
    return joined.future();
  }

  private void askToJoin(Formation.Join how, int attempt, Promise<Void> joined) {
    if (stopped) {
      joined.tryFail(new FormationException("the member was stopped while it was joining"));
      return;
    }
    List<String> contacts = how.contacts();
    String contact = contacts.get(attempt % contacts.size());
    discover(contact)
        .onSuccess(
            seen -> {
              Optional<UUID> wanted =
                  seen.cluster().filter(found -> how.cluster().map(found::equals).orElse(true));
              if (wanted.isPresent()) {
                enter(wanted.get()).onComplete(joined);
              } else {
                vertx.setTimer(RETRY_MILLIS, id -> askToJoin(how, attempt + 1, joined));
              }
            })
        .onFailure(
            e -> {
              if (attempt == 0) {
                LOG.warn("contact={} cannot be reached: {}", contact, e.getMessage());
              }
              vertx.setTimer(RETRY_MILLIS, id -> askToJoin(how, attempt + 1, joined));
            });
  }

  /** Belongs to a cluster from now on, with an empty log: that comes from its leader. */
  private Future<Void> enter(UUID cluster) {
    return storage
        .write(
            replica -> {
              replica.join(cluster, identity.member());
              return cluster;
            })
        .map(
            done -> {
              identity.belongsTo(cluster);
              return null;
            });
  }

  private void askToBeAdded(List<String> contacts, BooleanSupplier isMember, int attempt) {
    if (stopped || isMember.getAsBoolean()) {
      return;
    }
    String contact = contacts.get(attempt % contacts.size());
    client
        .ask(contact, identity.hello(Hello.Purpose.JOIN, new MemberId(Hello.NOBODY)))
        .onFailure(
            e -> LOG.warn("contact={} did not add this member: {}", contact, e.getMessage()));
    vertx.setTimer(5L * RETRY_MILLIS, id -> askToBeAdded(contacts, isMember, attempt + 1));
  }

  private static Future<Void> refused(String why) {
    return Future.failedFuture(new FormationException(why));
  }

  /** A founding that is under way. */
  private final class Founding {

    private final List<String> addresses;
    private final Map<String, MemberId> founders = new HashMap<>();
    private final Promise<Void> done = Promise.promise();

    /** Whether the disk is being written: what others say changes nothing any more. */
    private boolean decided;

    Founding(List<String> addresses) {
      this.addresses = addresses;
      founders.put(identity.address(), identity.member());
    }

    void ask() {
      if (decided || done.future().isComplete()) {
        return;
      }
      if (stopped) {
        done.tryFail(new FormationException("the member was stopped while it was founded"));
        return;
      }
      if (founders.size() == addresses.size()) {
        decided = true;
        foundWith(founders).onComplete(done);
        return;
      }
      for (String other : addresses) {
        if (!founders.containsKey(other)) {
          discover(other)
              .onSuccess(seen -> heard(other, seen))
              .onFailure(e -> LOG.debug("founder={} has not answered: {}", other, e.getMessage()));
        }
      }
      vertx.setTimer(RETRY_MILLIS, id -> ask());
    }

    private void heard(String other, Discovery seen) {
      if (decided || done.future().isComplete()) {
        return;
      }
      if (seen.cluster().isPresent()) {
        if (seen.members().contains(identity.member().toString())) {
          // It is founded, and this member belongs to it.
          decided = true;
          enter(seen.cluster().get()).onComplete(done);
        } else {
          fail(
              other
                  + " belongs to a cluster of "
                  + seen.addresses()
                  + " that does not have this member; this one was started with "
                  + addresses);
        }
      } else if (!seen.addresses().equals(addresses)) {
        fail(
            other
                + " was started with the initial cluster "
                + seen.addresses()
                + ", this member with "
                + addresses);
      } else {
        founders.put(other, seen.member());
      }
    }

    private void fail(String why) {
      done.tryFail(new FormationException(why));
    }
  }
}
