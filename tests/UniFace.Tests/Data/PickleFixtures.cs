namespace UniFace.Tests.Data;

/// <summary>
/// Pickles written by CPython 3.11 and 3.13 with NumPy 2.2: pickle.dumps((pictures, [True, False]), protocol), the four pictures being
/// bytes([0xff, 0xd8, i, 0x0a, 0x27, 0x5c, 0x00, 0x80 + i]) as bytes, bytearray or array of uint8 (the second of shape (8, 1)).
/// The last ones are by NumPy 1.24: the answers as a list of np.bool_ or np.int64, or as an array of bool or of big-endian int32.
/// </summary>
internal static class PickleFixtures
{
    public static Dictionary<string, string> Good { get; } = new()
    {
        ["proto0"] =
            "KChscDAKY19jb2RlY3MKZW5jb2RlCnAxCihW/9hcdTAwMDBcdTAwMGEnXHUwMDVjXHUwMDAwgApwMgpWbGF0aW4xCnAzCnRwNApScDUKYWcxCihW/9gBXHUw" +
            "MDBhJ1x1MDA1Y1x1MDAwMIEKcDYKZzMKdHA3ClJwOAphZzEKKFb/2AJcdTAwMGEnXHUwMDVjXHUwMDAwggpwOQpnMwp0cDEwClJwMTEKYWcxCihW/9gDXHUw" +
            "MDBhJ1x1MDA1Y1x1MDAwMIMKcDEyCmczCnRwMTMKUnAxNAphKGxwMTUKSTAxCmFJMDAKYXRwMTYKLg==",
        ["proto1"] =
            "KF1xAChjX2NvZGVjcwplbmNvZGUKcQEoWAsAAADDv8OYAAonXADCgHECWAYAAABsYXRpbjFxA3RxBFJxBWgBKFgLAAAAw7/DmAEKJ1wAwoFxBmgDdHEHUnEI" +
            "aAEoWAsAAADDv8OYAgonXADCgnEJaAN0cQpScQtoAShYCwAAAMO/w5gDCidcAMKDcQxoA3RxDVJxDmVdcQ8oSTAxCkkwMApldHEQLg==",
        ["proto2"] =
            "gAJdcQAoY19jb2RlY3MKZW5jb2RlCnEBWAsAAADDv8OYAAonXADCgHECWAYAAABsYXRpbjFxA4ZxBFJxBWgBWAsAAADDv8OYAQonXADCgXEGaAOGcQdScQho" +
            "AVgLAAAAw7/DmAIKJ1wAwoJxCWgDhnEKUnELaAFYCwAAAMO/w5gDCidcAMKDcQxoA4ZxDVJxDmVdcQ8oiIllhnEQLg==",
        ["proto3"] = "gANdcQAoQwj/2AAKJ1wAgHEBQwj/2AEKJ1wAgXECQwj/2AIKJ1wAgnEDQwj/2AMKJ1wAg3EEZV1xBSiIiWWGcQYu",
        ["proto4"] = "gASVOQAAAAAAAABdlChDCP/YAAonXACAlEMI/9gBCidcAIGUQwj/2AIKJ1wAgpRDCP/YAwonXACDlGVdlCiIiWWGlC4=",
        ["proto5"] = "gAWVOQAAAAAAAABdlChDCP/YAAonXACAlEMI/9gBCidcAIGUQwj/2AIKJ1wAgpRDCP/YAwonXACDlGVdlCiIiWWGlC4=",
        ["bytearray5"] = "gAWVVQAAAAAAAABdlCiWCAAAAAAAAAD/2AAKJ1wAgJSWCAAAAAAAAAD/2AEKJ1wAgZSWCAAAAAAAAAD/2AIKJ1wAgpSWCAAAAAAAAAD/2AMKJ1wAg5RlXZQoiIllhpQu",
        ["numpy0"] =
            "KChscDAKY251bXB5Ll9jb3JlLm11bHRpYXJyYXkKX3JlY29uc3RydWN0CnAxCihjbnVtcHkKbmRhcnJheQpwMgooSTAKdHAzCmNfY29kZWNzCmVuY29kZQpw" +
            "NAooVmIKcDUKVmxhdGluMQpwNgp0cDcKUnA4CnRwOQpScDEwCihJMQooSTgKdHAxMQpjbnVtcHkKZHR5cGUKcDEyCihWdTEKcDEzCkkwMApJMDEKdHAxNApS" +
            "cDE1CihJMwpWfApwMTYKTk5OSS0xCkktMQpJMAp0cDE3CmJJMDAKZzQKKFb/2Fx1MDAwMFx1MDAwYSdcdTAwNWNcdTAwMDCACnAxOApnNgp0cDE5ClJwMjAK" +
            "dHAyMQpiYWcxCihnMgooSTAKdHAyMgpnOAp0cDIzClJwMjQKKEkxCihJOApJMQp0cDI1CmcxNQpJMDAKZzQKKFb/2AFcdTAwMGEnXHUwMDVjXHUwMDAwgQpw" +
            "MjYKZzYKdHAyNwpScDI4CnRwMjkKYmFnMQooZzIKKEkwCnRwMzAKZzgKdHAzMQpScDMyCihJMQooSTgKdHAzMwpnMTUKSTAwCmc0CihW/9gCXHUwMDBhJ1x1" +
            "MDA1Y1x1MDAwMIIKcDM0Cmc2CnRwMzUKUnAzNgp0cDM3CmJhZzEKKGcyCihJMAp0cDM4Cmc4CnRwMzkKUnA0MAooSTEKKEk4CnRwNDEKZzE1CkkwMApnNAoo" +
            "Vv/YA1x1MDAwYSdcdTAwNWNcdTAwMDCDCnA0MgpnNgp0cDQzClJwNDQKdHA0NQpiYShscDQ2CkkwMQphSTAwCmF0cDQ3Ci4=",
        ["numpy2"] =
            "gAJdcQAoY251bXB5Ll9jb3JlLm11bHRpYXJyYXkKX3JlY29uc3RydWN0CnEBY251bXB5Cm5kYXJyYXkKcQJLAIVxA2NfY29kZWNzCmVuY29kZQpxBFgBAAAA" +
            "YnEFWAYAAABsYXRpbjFxBoZxB1JxCIdxCVJxCihLAUsIhXELY251bXB5CmR0eXBlCnEMWAIAAAB1MXENiYiHcQ5ScQ8oSwNYAQAAAHxxEE5OTkr/////Sv//" +
            "//9LAHRxEWKJaARYCwAAAMO/w5gACidcAMKAcRJoBoZxE1JxFHRxFWJoAWgCSwCFcRZoCIdxF1JxGChLAUsISwGGcRloD4loBFgLAAAAw7/DmAEKJ1wAwoFx" +
            "GmgGhnEbUnEcdHEdYmgBaAJLAIVxHmgIh3EfUnEgKEsBSwiFcSFoD4loBFgLAAAAw7/DmAIKJ1wAwoJxImgGhnEjUnEkdHElYmgBaAJLAIVxJmgIh3EnUnEo" +
            "KEsBSwiFcSloD4loBFgLAAAAw7/DmAMKJ1wAwoNxKmgGhnErUnEsdHEtYmVdcS4oiIllhnEvLg==",
        ["numpy4"] =
            "gASVEQEAAAAAAABdlCiMFm51bXB5Ll9jb3JlLm11bHRpYXJyYXmUjAxfcmVjb25zdHJ1Y3SUk5SMBW51bXB5lIwHbmRhcnJheZSTlEsAhZRDAWKUh5RSlChL" +
            "AUsIhZRoBIwFZHR5cGWUk5SMAnUxlImIh5RSlChLA4wBfJROTk5K/////0r/////SwB0lGKJQwj/2AAKJ1wAgJR0lGJoA2gGSwCFlGgIh5RSlChLAUsISwGG" +
            "lGgQiUMI/9gBCidcAIGUdJRiaANoBksAhZRoCIeUUpQoSwFLCIWUaBCJQwj/2AIKJ1wAgpR0lGJoA2gGSwCFlGgIh5RSlChLAUsIhZRoEIlDCP/YAwonXACD" +
            "lHSUYmVdlCiIiWWGlC4=",
        ["numpy5"] =
            "gAWV7QAAAAAAAABdlCiME251bXB5Ll9jb3JlLm51bWVyaWOUjAtfZnJvbWJ1ZmZlcpSTlCiWCAAAAAAAAAD/2AAKJ1wAgJSMBW51bXB5lIwFZHR5cGWUk5SM" +
            "AnUxlImIh5RSlChLA4wBfJROTk5K/////0r/////SwB0lGJLCIWUjAFDlHSUUpRoAyiWCAAAAAAAAAD/2AEKJ1wAgZRoCksISwGGlGgOdJRSlGgDKJYIAAAA" +
            "AAAAAP/YAgonXACClGgKSwiFlGgOdJRSlGgDKJYIAAAAAAAAAP/YAwonXACDlGgKSwiFlGgOdJRSlGVdlCiIiWWGlC4=",
        ["bool_0"] =
            "KChscDAKY19jb2RlY3MKZW5jb2RlCnAxCihW/9hcdTAwMDBcdTAwMGEnXHUwMDVjXHUwMDAwgApwMgpWbGF0aW4xCnAzCnRwNApScDUKYWcxCihW/9gBXHUw" +
            "MDBhJ1x1MDA1Y1x1MDAwMIEKcDYKZzMKdHA3ClJwOAphZzEKKFb/2AJcdTAwMGEnXHUwMDVjXHUwMDAwggpwOQpnMwp0cDEwClJwMTEKYWcxCihW/9gDXHUw" +
            "MDBhJ1x1MDA1Y1x1MDAwMIMKcDEyCmczCnRwMTMKUnAxNAphKGxwMTUKY251bXB5LmNvcmUubXVsdGlhcnJheQpzY2FsYXIKcDE2CihjbnVtcHkKZHR5cGUK" +
            "cDE3CihWYjEKcDE4CkkwMApJMDEKdHAxOQpScDIwCihJMwpWfApwMjEKTk5OSS0xCkktMQpJMAp0cDIyCmJnMQooVgEKcDIzCmczCnRwMjQKUnAyNQp0cDI2" +
            "ClJwMjcKYWcxNgooZzIwCmcxCihWXHUwMDAwCnAyOApnMwp0cDI5ClJwMzAKdHAzMQpScDMyCmF0cDMzCi4=",
        ["bool_2"] =
            "gAJdcQAoY19jb2RlY3MKZW5jb2RlCnEBWAsAAADDv8OYAAonXADCgHECWAYAAABsYXRpbjFxA4ZxBFJxBWgBWAsAAADDv8OYAQonXADCgXEGaAOGcQdScQho" +
            "AVgLAAAAw7/DmAIKJ1wAwoJxCWgDhnEKUnELaAFYCwAAAMO/w5gDCidcAMKDcQxoA4ZxDVJxDmVdcQ8oY251bXB5LmNvcmUubXVsdGlhcnJheQpzY2FsYXIK" +
            "cRBjbnVtcHkKZHR5cGUKcRFYAgAAAGIxcRKJiIdxE1JxFChLA1gBAAAAfHEVTk5OSv////9K/////0sAdHEWYmgBWAEAAAABcRdoA4ZxGFJxGYZxGlJxG2gQ" +
            "aBRoAVgBAAAAAHEcaAOGcR1ScR6GcR9ScSBlhnEhLg==",
        ["bool_4"] =
            "gASVpAAAAAAAAABdlChDCP/YAAonXACAlEMI/9gBCidcAIGUQwj/2AIKJ1wAgpRDCP/YAwonXACDlGVdlCiMFW51bXB5LmNvcmUubXVsdGlhcnJheZSMBnNj" +
            "YWxhcpSTlIwFbnVtcHmUjAVkdHlwZZSTlIwCYjGUiYiHlFKUKEsDjAF8lE5OTkr/////Sv////9LAHSUYkMBAZSGlFKUaAhoDkMBAJSGlFKUZYaULg==",
        ["int64_0"] =
            "KChscDAKY19jb2RlY3MKZW5jb2RlCnAxCihW/9hcdTAwMDBcdTAwMGEnXHUwMDVjXHUwMDAwgApwMgpWbGF0aW4xCnAzCnRwNApScDUKYWcxCihW/9gBXHUw" +
            "MDBhJ1x1MDA1Y1x1MDAwMIEKcDYKZzMKdHA3ClJwOAphZzEKKFb/2AJcdTAwMGEnXHUwMDVjXHUwMDAwggpwOQpnMwp0cDEwClJwMTEKYWcxCihW/9gDXHUw" +
            "MDBhJ1x1MDA1Y1x1MDAwMIMKcDEyCmczCnRwMTMKUnAxNAphKGxwMTUKY251bXB5LmNvcmUubXVsdGlhcnJheQpzY2FsYXIKcDE2CihjbnVtcHkKZHR5cGUK" +
            "cDE3CihWaTgKcDE4CkkwMApJMDEKdHAxOQpScDIwCihJMwpWPApwMjEKTk5OSS0xCkktMQpJMAp0cDIyCmJnMQooVgFcdTAwMDBcdTAwMDBcdTAwMDBcdTAw" +
            "MDBcdTAwMDBcdTAwMDBcdTAwMDAKcDIzCmczCnRwMjQKUnAyNQp0cDI2ClJwMjcKYWcxNgooZzIwCmcxCihWXHUwMDAwXHUwMDAwXHUwMDAwXHUwMDAwXHUw" +
            "MDAwXHUwMDAwXHUwMDAwXHUwMDAwCnAyOApnMwp0cDI5ClJwMzAKdHAzMQpScDMyCmF0cDMzCi4=",
        ["int64_4"] =
            "gASVsgAAAAAAAABdlChDCP/YAAonXACAlEMI/9gBCidcAIGUQwj/2AIKJ1wAgpRDCP/YAwonXACDlGVdlCiMFW51bXB5LmNvcmUubXVsdGlhcnJheZSMBnNj" +
            "YWxhcpSTlIwFbnVtcHmUjAVkdHlwZZSTlIwCaTiUiYiHlFKUKEsDjAE8lE5OTkr/////Sv////9LAHSUYkMIAQAAAAAAAACUhpRSlGgIaA5DCAAAAAAAAAAA" +
            "lIaUUpRlhpQu",
        ["boolArray2"] =
            "gAJdcQAoY19jb2RlY3MKZW5jb2RlCnEBWAsAAADDv8OYAAonXADCgHECWAYAAABsYXRpbjFxA4ZxBFJxBWgBWAsAAADDv8OYAQonXADCgXEGaAOGcQdScQho" +
            "AVgLAAAAw7/DmAIKJ1wAwoJxCWgDhnEKUnELaAFYCwAAAMO/w5gDCidcAMKDcQxoA4ZxDVJxDmVjbnVtcHkuY29yZS5tdWx0aWFycmF5Cl9yZWNvbnN0cnVj" +
            "dApxD2NudW1weQpuZGFycmF5CnEQSwCFcRFoAVgBAAAAYnESaAOGcRNScRSHcRVScRYoSwFLAoVxF2NudW1weQpkdHlwZQpxGFgCAAAAYjFxGYmIh3EaUnEb" +
            "KEsDWAEAAAB8cRxOTk5K/////0r/////SwB0cR1iiWgBWAIAAAABAHEeaAOGcR9ScSB0cSFihnEiLg==",
        ["boolArray4"] =
            "gASVvAAAAAAAAABdlChDCP/YAAonXACAlEMI/9gBCidcAIGUQwj/2AIKJ1wAgpRDCP/YAwonXACDlGWMFW51bXB5LmNvcmUubXVsdGlhcnJheZSMDF9yZWNv" +
            "bnN0cnVjdJSTlIwFbnVtcHmUjAduZGFycmF5lJOUSwCFlEMBYpSHlFKUKEsBSwKFlGgIjAVkdHlwZZSTlIwCYjGUiYiHlFKUKEsDjAF8lE5OTkr/////Sv//" +
            "//9LAHSUYolDAgEAlHSUYoaULg==",
        ["bigArray4"] =
            "gASVwgAAAAAAAABdlChDCP/YAAonXACAlEMI/9gBCidcAIGUQwj/2AIKJ1wAgpRDCP/YAwonXACDlGWMFW51bXB5LmNvcmUubXVsdGlhcnJheZSMDF9yZWNv" +
            "bnN0cnVjdJSTlIwFbnVtcHmUjAduZGFycmF5lJOUSwCFlEMBYpSHlFKUKEsBSwKFlGgIjAVkdHlwZZSTlIwCaTSUiYiHlFKUKEsDjAE+lE5OTkr/////Sv//" +
            "//9LAHSUYolDCAAAAAEAAAAAlHSUYoaULg==",
    };

    /// <summary>In the place of True, an object whose __reduce__ calls os.system.</summary>
    public static Dictionary<string, string> Evil { get; } = new()
    {
        ["evil0"] =
            "KChscDAKY19jb2RlY3MKZW5jb2RlCnAxCihW/9hcdTAwMDBcdTAwMGEnXHUwMDVjXHUwMDAwgApwMgpWbGF0aW4xCnAzCnRwNApScDUKYWcxCihW/9gBXHUw" +
            "MDBhJ1x1MDA1Y1x1MDAwMIEKcDYKZzMKdHA3ClJwOAphZzEKKFb/2AJcdTAwMGEnXHUwMDVjXHUwMDAwggpwOQpnMwp0cDEwClJwMTEKYWcxCihW/9gDXHUw" +
            "MDBhJ1x1MDA1Y1x1MDAwMIMKcDEyCmczCnRwMTMKUnAxNAphKGxwMTUKY3Bvc2l4CnN5c3RlbQpwMTYKKFZ0b3VjaCAvdG1wL3B3bmVkCnAxNwp0cDE4ClJw" +
            "MTkKYUkwMAphdHAyMAou",
        ["evil2"] =
            "gAJdcQAoY19jb2RlY3MKZW5jb2RlCnEBWAsAAADDv8OYAAonXADCgHECWAYAAABsYXRpbjFxA4ZxBFJxBWgBWAsAAADDv8OYAQonXADCgXEGaAOGcQdScQho" +
            "AVgLAAAAw7/DmAIKJ1wAwoJxCWgDhnEKUnELaAFYCwAAAMO/w5gDCidcAMKDcQxoA4ZxDVJxDmVdcQ8oY3Bvc2l4CnN5c3RlbQpxEFgQAAAAdG91Y2ggL3Rt" +
            "cC9wd25lZHERhXESUnETiWWGcRQu",
        ["evil4"] =
            "gASVYgAAAAAAAABdlChDCP/YAAonXACAlEMI/9gBCidcAIGUQwj/2AIKJ1wAgpRDCP/YAwonXACDlGVdlCiMBXBvc2l4lIwGc3lzdGVtlJOUjBB0b3VjaCAv" +
            "dG1wL3B3bmVklIWUUpSJZYaULg==",
    };

    /// <summary>An array of float64.</summary>
    public const string FloatArray =
        "gASVpwAAAAAAAACMFm51bXB5Ll9jb3JlLm11bHRpYXJyYXmUjAxfcmVjb25zdHJ1Y3SUk5SMBW51bXB5lIwHbmRhcnJheZSTlEsAhZRDAWKUh5RSlChLAUsD" +
        "hZRoA4wFZHR5cGWUk5SMAmY4lImIh5RSlChLA4wBPJROTk5K/////0r/////SwB0lGKJQxgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAACUdJRiXZSIYYaULg==";

    /// <summary>Pictures 0 and 1, and 2 and 3, are the same objects.</summary>
    public const string Shared = "gASVJwAAAAAAAABdlChDCP/YAAonXACAlGgBQwj/2AEKJ1wAgZRoAmVdlCiIiWWGlC4=";
}
