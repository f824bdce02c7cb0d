namespace UniFace.Training.Distributed;

/// <summary>The fingerprint of the training data when every rank reads other images.</summary>
internal static class SharedFingerprint
{
    /// <summary>That of rank 0, and on every other rank an empty one for the images that it adds.</summary>
    public static TrainingFingerprint Share(ICommunicator communicator, TrainingFingerprint fingerprint)
    {
        TrainingFingerprint shared = BroadcastIfAny(communicator, communicator.Rank == 0 ? fingerprint.CreateEmpty() : null)!;
        return communicator.Rank == 0 ? fingerprint : shared;
    }

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

    /// <summary>Moves what the other ranks have added to that of rank 0.</summary>
    public static void Collect(ICommunicator communicator, TrainingFingerprint fingerprint)
    {
        byte[] own = communicator.Rank > 0 && fingerprint.Count > 0 ? fingerprint.Take() : [];
        communicator.CollectBytes(
            own, (rank, bytes) => fingerprint.UnionWith(TrainingFingerprint.Read(bytes, $"{TrainingFingerprint.FileName} of rank {rank}")));
    }
}
