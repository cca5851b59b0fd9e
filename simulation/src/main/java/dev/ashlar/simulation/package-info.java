/**
 * A whole cluster - core, driver, replication, the real engine over memory - in one thread, on
 * virtual time, from one seed. Ships nothing.
 *
 * <p>Start with {@link dev.ashlar.simulation.Simulation}.
 */
@NullMarked
package dev.ashlar.simulation;

import org.jspecify.annotations.NullMarked;
