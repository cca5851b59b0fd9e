package dev.ashlar.raft.vertx;

import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * How a member with an empty disk comes to be one. A disk that belongs to a cluster decides itself.
 */
public sealed interface Formation {

  /** It is a cluster of one, in place: blocks that its disk has stay. */
  record Alone() implements Formation {}

  /**
   * It founds a cluster together with the others of the list, each of which is started with the
   * same.
   *
   * @param addresses where all founding members are reached, this one among them
   */
  record Initial(List<String> addresses) implements Formation {

    /** Sorts the list, so that its order does not matter. */
    public Initial {
      addresses = addresses.stream().sorted().distinct().toList();
      if (addresses.isEmpty()) {
        throw new IllegalArgumentException("an initial cluster has at least one member");
      }
    }
  }

  /**
   * It is added to a cluster that there is.
   *
   * @param contacts where some of its members are reached
   * @param cluster the only one that it may be; empty for whichever they are members of
   */
  record Join(List<String> contacts, Optional<UUID> cluster) implements Formation {

    /** Whichever cluster they are members of. */
    public Join(List<String> contacts) {
      this(contacts, Optional.empty());
    }

    /** Copies the list. */
    public Join {
      contacts = List.copyOf(contacts);
      if (contacts.isEmpty()) {
        throw new IllegalArgumentException("joining needs the address of a member");
      }
    }
  }
}
