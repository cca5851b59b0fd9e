package dev.ashlar.raft.driver;

import dev.ashlar.raft.core.MemberId;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A request about the cluster itself, carried out by the leader. */
public sealed interface AdminCommand {

  /** The member that it is about. */
  MemberId member();

  /**
   * Adds a member, first as a learner. A member at the same address that has been silent for ten
   * election timeouts is removed in the same change.
   *
   * @param member the new member's id
   * @param address where it is reached
   * @param voter whether it is to vote once it has caught up
   */
  record Add(MemberId member, String address, boolean voter) implements AdminCommand {

    private static final Pattern HOST_AND_PORT = Pattern.compile("[^,\\s]+:([0-9]{1,5})");

    /** Checks the address: every member has to live with it. */
    public Add {
      Matcher matcher = HOST_AND_PORT.matcher(address);
      boolean valid = matcher.matches();
      int port = valid ? Integer.parseInt(matcher.group(1)) : 0;
      if (!valid || port < 1 || port > 65_535) {
        throw new IllegalArgumentException("an address is HOST:PORT, not " + address);
      }
    }
  }

  /** Removes a member. */
  record Remove(MemberId member) implements AdminCommand {}

  /** Hands leadership over. */
  record Transfer(MemberId member) implements AdminCommand {}
}
