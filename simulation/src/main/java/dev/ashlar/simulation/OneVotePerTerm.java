package dev.ashlar.simulation;

import dev.ashlar.raft.core.MemberId;
import dev.ashlar.raft.core.Message;
import dev.ashlar.raft.driver.PeerMessage;
import java.util.HashMap;
import java.util.Map;

/** A member votes for one candidate in a term, over all its restarts (Raft §5.2). */
final class OneVotePerTerm implements Observer {

  private record Ballot(MemberId voter, long term) {}

  private final Map<Ballot, MemberId> votes = new HashMap<>();

  @Override
  public void sent(SimNode from, MemberId to, PeerMessage message) {
    if (!(message instanceof PeerMessage.Protocol protocol)) {
      return;
    }
    if (protocol.message() instanceof Message.VoteResponse response && response.granted()) {
      note(from.member(), response.term(), to);
    } else if (protocol.message() instanceof Message.RequestVote request) {
      note(from.member(), request.term(), from.member());
    }
  }

  /** What it has forgotten it may do again; that this harms nobody, the others check. */
  @Override
  public void wentBack(SimNode node) {
    votes.keySet().removeIf(ballot -> ballot.voter().equals(node.member()));
  }

  private void note(MemberId voter, long term, MemberId candidate) {
    MemberId before = votes.putIfAbsent(new Ballot(voter, term), candidate);
    if (before != null && !before.equals(candidate)) {
      throw new Violation(
          "OneVotePerTerm",
          voter + " votes in term " + term + " for " + before + " and for " + candidate);
    }
  }
}
