namespace UniFace.Training.Distributed;

/// <summary>The fingerprint of the training data when every rank reads other images.</summary>
internal static class SharedFingerprint
{
    /// <summary>That of rank 0, to which every rank adds its images.</summary>
    public static TrainingFingerprint Broadcast(ICommunicator communicator, TrainingFingerprint fingerprint) => communicator.Size == 1
        ? fingerprint
        : TrainingFingerprint.Read(communicator.BroadcastBytes(communicator.Rank == 0 ? fingerprint.ToBytes() : []), TrainingFingerprint.FileName);

    /// <summary>Adds those of the other ranks to that of rank 0, if a rank has read new images.</summary>
    public static void Collect(ICommunicator communicator, TrainingFingerprint fingerprint)
    {
        if (communicator.Size == 1)
        {
            return;
        }

        byte[] own = communicator.Rank == 0 || !fingerprint.HasNew ? [] : fingerprint.ToBytes();
        double[] lengths = new double[communicator.Size];
        lengths[communicator.Rank] = own.Length;
        communicator.AllReduce(lengths, Reduction.Sum, Traffic.Other);
        if (own.Length > 0)
        {
            communicator.Send(own, 0);
            fingerprint.HasNew = false;
        }

        for (int rank = 1; communicator.Rank == 0 && rank < communicator.Size; rank++)
        {
            byte[] received = new byte[(int)lengths[rank]];
            if (received.Length > 0)
            {
                communicator.Receive(received, rank);
                fingerprint.UnionWith(TrainingFingerprint.Read(received, $"{TrainingFingerprint.FileName} of rank {rank}"));
            }
        }
    }
}
