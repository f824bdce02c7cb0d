using System.Runtime.Versioning;
using System.Security.AccessControl;
using System.Security.Principal;

namespace UniFace.AspNetCore;

/// <summary>The folder for everything that a service writes: keys, logs, and often the gallery.</summary>
internal static class DataFolder
{
    /// <summary>
    /// Creates the folder if it is missing, with access for its owner only, because it holds templates and names; on Windows also for
    /// administrators and the system, and files in it inherit that.
    /// </summary>
    /// <exception cref="UniFaceException">It cannot be created.</exception>
    public static void Create(string folder)
    {
        try
        {
            if (!OperatingSystem.IsWindows())
            {
                Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }
            else if (!Directory.Exists(folder))
            {
                CreateOnWindows(folder);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UniFaceException($"the data folder {folder} cannot be created: {e.Message} Name a folder that this user can write", e);
        }
    }

    [SupportedOSPlatform("windows")]
    private static void CreateOnWindows(string folder)
    {
        using WindowsIdentity user = WindowsIdentity.GetCurrent();
        SecurityIdentifier[] allowed =
            [user.User!, new(WellKnownSidType.LocalSystemSid, null), new(WellKnownSidType.BuiltinAdministratorsSid, null)];
        DirectorySecurity access = new();
        access.SetAccessRuleProtection(isProtected: true, preserveInheritance: false);
        foreach (SecurityIdentifier who in allowed)
        {
            const InheritanceFlags everything = InheritanceFlags.ContainerInherit | InheritanceFlags.ObjectInherit;
            access.AddAccessRule(new(who, FileSystemRights.FullControl, everything, PropagationFlags.None, AccessControlType.Allow));
        }

        access.CreateDirectory(folder);
    }
}
