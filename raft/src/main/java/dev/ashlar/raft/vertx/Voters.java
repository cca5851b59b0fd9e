package dev.ashlar.raft.vertx;

import dev.ashlar.raft.core.MemberId;
import dev.ashlar.raft.core.Membership;
import io.vertx.core.json.JsonObject;
import java.util.SortedMap;
import java.util.TreeMap;

/** Who votes and where each is reached, as members tell and remember it. */
final class Voters {

  private Voters() {}

  static SortedMap<MemberId, String> of(Membership membership) {
    SortedMap<MemberId, String> voters = new TreeMap<>();
    for (MemberId voter : membership.voters()) {
      voters.put(voter, membership.address(voter).orElse(""));
    }
    return voters;
  }

  static JsonObject encode(SortedMap<MemberId, String> voters) {
    JsonObject json = new JsonObject();
    voters.forEach((voter, address) -> json.put(voter.toString(), address));
    return json;
  }

  static SortedMap<MemberId, String> decode(JsonObject json) {
    SortedMap<MemberId, String> voters = new TreeMap<>();
    for (String voter : json.fieldNames()) {
      voters.put(MemberId.parse(voter), json.getString(voter));
    }
    return voters;
  }
}
