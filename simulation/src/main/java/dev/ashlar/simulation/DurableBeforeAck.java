package dev.ashlar.simulation;

import dev.ashlar.block.engine.HardState;
import dev.ashlar.raft.core.MemberId;
import dev.ashlar.raft.core.Message;
import dev.ashlar.raft.driver.PeerMessage;
import java.util.Optional;

/** Votes and acknowledgements leave after what they promise is on the disk (Raft figure 2). */
final class DurableBeforeAck implements Observer {

  @Override
  public void sent(SimNode from, MemberId to, PeerMessage message) {
    if (!(message instanceof PeerMessage.Protocol protocol)) {
      return;
    }
    long last = from.engine().status().last().index();
    HardState hardState = from.engine().hardState();
    if (protocol.message() instanceof Message.AppendAccepted accepted) {
      require(accepted.match() <= last, from, message, last, hardState);
    } else if (protocol.message() instanceof Message.HeartbeatResponse response) {
      require(response.match() <= last, from, message, last, hardState);
    } else if (protocol.message() instanceof Message.VoteResponse response && response.granted()) {
      require(holds(hardState, response.term(), to), from, message, last, hardState);
    } else if (protocol.message() instanceof Message.RequestVote request) {
      require(holds(hardState, request.term(), from.member()), from, message, last, hardState);
    }
  }

  /** A later term on the disk keeps the promise as well: nobody is voted for in an earlier one. */
  private static boolean holds(HardState hardState, long term, MemberId candidate) {
    return hardState.term() > term
        || hardState.equals(new HardState(term, Optional.of(candidate.uuid())));
  }

  private static void require(
      boolean holds, SimNode from, PeerMessage message, long last, HardState hardState) {
    if (!holds) {
      throw new Violation(
          "DurableBeforeAck",
          from.address()
              + " sends "
              + message
              + " with "
              + last
              + " and "
              + hardState
              + " on disk");
    }
  }
}
