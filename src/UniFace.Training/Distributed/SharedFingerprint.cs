namespace UniFace.Training.Distributed;

/// <summary>The fingerprint of the training data when every rank reads other images.</summary>
internal static class SharedFingerprint
{
    /// <summary>That of rank 0, to which every rank adds its images.</summary>
    public static TrainingFingerprint Broadcast(ICommunicator communicator, TrainingFingerprint fingerprint) =>
        BroadcastIfAny(communicator, fingerprint)!;

    /// <summary>That of rank 0; null if it has none.</summary>
    public static TrainingFingerprint? BroadcastIfAny(ICommunicator communicator, TrainingFingerprint? fingerprint)
    {
        if (communicator.Size == 1)
        {
            return fingerprint;
        }

        byte[] bytes = communicator.BroadcastBytes(communicator.Rank == 0 && fingerprint is not null ? fingerprint.ToBytes() : []);
        return bytes.Length == 0 ? null : TrainingFingerprint.Read(bytes, TrainingFingerprint.FileName);
    }

    /// <summary>Adds those of the other ranks to that of rank 0, if a rank has read new images.</summary>
    public static void Collect(ICommunicator communicator, TrainingFingerprint fingerprint)
    {
        byte[] own = [];
        if (communicator.Rank > 0 && fingerprint.HasNew)
        {
            fingerprint.HasNew = false; // Before the bytes: batches are read meanwhile.
            own = fingerprint.ToBytes();
        }

        communicator.CollectBytes(
            own, (rank, bytes) => fingerprint.UnionWith(TrainingFingerprint.Read(bytes, $"{TrainingFingerprint.FileName} of rank {rank}")));
    }
}
