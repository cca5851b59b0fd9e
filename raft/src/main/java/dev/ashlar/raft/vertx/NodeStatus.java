package dev.ashlar.raft.vertx;

import dev.ashlar.raft.core.MemberId;
import dev.ashlar.raft.core.Membership;
import dev.ashlar.raft.core.RaftCore;
import dev.ashlar.raft.core.Role;
import dev.ashlar.raft.driver.ScrubStatus;
import java.util.Optional;
import java.util.SortedMap;
import java.util.UUID;

/**
 * A member's view of itself and its cluster at a moment.
 *
 * @param cluster the cluster's id
 * @param self this member
 * @param address where it is reached
 * @param term its term
 * @param role its role
 * @param leader the leader, as far as it knows
 * @param membership the configuration in force here
 * @param base the index up to which its log is compacted
 * @param last the last index of its log
 * @param commit the highest index that it knows to be committed
 * @param applied up to where entries have taken effect here
 * @param installing whether it is taking a snapshot
 * @param settled whether it leads and has committed an entry of its term (thesis §6.4)
 * @param scrub what re-reading all blocks has come to
 * @param mended how many damaged blocks were mended from other members since the start
 * @param peers what it knows of the others, if it leads
 */
public record NodeStatus(
    UUID cluster,
    MemberId self,
    String address,
    long term,
    Role role,
    Optional<MemberId> leader,
    Membership membership,
    long base,
    long last,
    long commit,
    long applied,
    boolean installing,
    boolean settled,
    ScrubStatus scrub,
    long mended,
    SortedMap<MemberId, RaftCore.Peer> peers) {}
