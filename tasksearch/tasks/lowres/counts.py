"""Expected number of examples per language and split, as counted in the authors' files (see each card's reference)."""

from __future__ import annotations

Counts = tuple[tuple[str, str, int], ...]

TATOEBA: Counts = (
    ("af", "test", 1000), ("am", "test", 168), ("ang", "test", 134), ("ar", "test", 1000), ("arq", "test", 911),
    ("arz", "test", 477), ("ast", "test", 127), ("awa", "test", 231), ("az", "test", 1000), ("be", "test", 1000),
    ("ber", "test", 1000), ("bg", "test", 1000), ("bn", "test", 1000), ("br", "test", 1000), ("bs", "test", 354),
    ("ca", "test", 1000), ("cbk", "test", 1000), ("ceb", "test", 600), ("ch", "test", 137), ("cs", "test", 1000),
    ("csb", "test", 253), ("cy", "test", 575), ("da", "test", 1000), ("de", "test", 1000), ("dsb", "test", 479),
    ("dtp", "test", 1000), ("el", "test", 1000), ("eo", "test", 1000), ("es", "test", 1000), ("et", "test", 1000),
    ("eu", "test", 1000), ("fa", "test", 1000), ("fi", "test", 1000), ("fo", "test", 262), ("fr", "test", 1000),
    ("fy", "test", 173), ("ga", "test", 1000), ("gd", "test", 829), ("gl", "test", 1000), ("gsw", "test", 117),
    ("he", "test", 1000), ("hi", "test", 1000), ("hr", "test", 1000), ("hsb", "test", 483), ("hu", "test", 1000),
    ("hy", "test", 742), ("ia", "test", 1000), ("id", "test", 1000), ("ie", "test", 1000), ("io", "test", 1000),
    ("is", "test", 1000), ("it", "test", 1000), ("ja", "test", 1000), ("jv", "test", 205), ("ka", "test", 746),
    ("kab", "test", 1000), ("kk", "test", 575), ("km", "test", 722), ("ko", "test", 1000), ("ku", "test", 410),
    ("kw", "test", 1000), ("kzj", "test", 1000), ("la", "test", 1000), ("lfn", "test", 1000), ("lt", "test", 1000),
    ("lv", "test", 1000), ("max", "test", 284), ("mhr", "test", 1000), ("mk", "test", 1000), ("ml", "test", 687),
    ("mn", "test", 440), ("mr", "test", 1000), ("ms", "test", 1000), ("nds", "test", 1000), ("nl", "test", 1000),
    ("nn", "test", 1000), ("no", "test", 1000), ("nov", "test", 257), ("oc", "test", 1000), ("orv", "test", 835),
    ("pam", "test", 1000), ("pl", "test", 1000), ("pms", "test", 525), ("pt", "test", 1000), ("ro", "test", 1000),
    ("ru", "test", 1000), ("sk", "test", 1000), ("sl", "test", 823), ("sq", "test", 1000), ("sr", "test", 1000),
    ("sv", "test", 1000), ("sw", "test", 390), ("swg", "test", 112), ("ta", "test", 307), ("te", "test", 234),
    ("th", "test", 548), ("tk", "test", 203), ("tl", "test", 1000), ("tr", "test", 1000), ("tt", "test", 1000),
    ("tzl", "test", 104), ("ug", "test", 1000), ("uk", "test", 1000), ("ur", "test", 1000), ("uz", "test", 428),
    ("vi", "test", 1000), ("war", "test", 1000), ("wuu", "test", 1000), ("xh", "test", 142), ("yi", "test", 848),
    ("yue", "test", 1000), ("zh", "test", 1000),
)  # fmt: skip
"""Pool sizes."""

UDPOS: Counts = (
    ("af", "dev", 194), ("af", "test", 425), ("am", "test", 1074), ("ar", "test", 1000), ("bg", "dev", 1115),
    ("bg", "test", 1116), ("de", "dev", 799), ("de", "test", 977), ("el", "dev", 403), ("el", "test", 456),
    ("en", "dev", 2002), ("en", "test", 2077), ("en", "train", 12543), ("es", "dev", 1400), ("es", "test", 426),
    ("et", "dev", 3125), ("et", "test", 3214), ("eu", "dev", 1798), ("eu", "test", 1799), ("fa", "dev", 599),
    ("fa", "test", 600), ("fi", "dev", 1364), ("fi", "test", 1555), ("fr", "dev", 1476), ("fr", "test", 416),
    ("he", "dev", 484), ("he", "test", 491), ("hi", "test", 1000), ("hu", "dev", 441), ("hu", "test", 449),
    ("id", "dev", 559), ("id", "test", 557), ("it", "dev", 564), ("it", "test", 482), ("ja", "dev", 511),
    ("ja", "test", 550), ("kk", "test", 1047), ("ko", "dev", 950), ("ko", "test", 989), ("lt", "dev", 617),
    ("lt", "test", 684), ("mr", "dev", 46), ("mr", "test", 47), ("nl", "dev", 718), ("nl", "test", 596),
    ("pl", "dev", 2215), ("pl", "test", 2215), ("pt", "dev", 1210), ("pt", "test", 1204), ("ro", "dev", 752),
    ("ro", "test", 729), ("ru", "dev", 579), ("ru", "test", 601), ("ta", "dev", 80), ("ta", "test", 120),
    ("te", "dev", 131), ("te", "test", 146), ("th", "test", 1000), ("tl", "test", 55), ("tr", "dev", 988),
    ("tr", "test", 983), ("uk", "dev", 672), ("uk", "test", 892), ("ur", "dev", 552), ("ur", "test", 535),
    ("vi", "dev", 800), ("vi", "test", 800), ("yo", "test", 100), ("zh", "dev", 500), ("zh", "test", 500),
    ("zh_Hant", "dev", 500), ("zh_Hant", "test", 500),
)  # fmt: skip
"""Number of sentences in the main treebank of each language."""

MASAKHANER1: Counts = (
    ("am", "dev", 250), ("am", "test", 500), ("ha", "dev", 276), ("ha", "test", 552), ("ig", "dev", 320),
    ("ig", "test", 638), ("lg", "dev", 200), ("lg", "test", 407), ("luo", "dev", 92), ("luo", "test", 186),
    ("pcm", "dev", 306), ("pcm", "test", 600), ("rw", "dev", 302), ("rw", "test", 605), ("sw", "dev", 300),
    ("sw", "test", 604), ("wo", "dev", 267), ("wo", "test", 539), ("yo", "dev", 305), ("yo", "test", 645),
)  # fmt: skip

MASAKHANER2: Counts = (
    ("bbj", "dev", 483), ("bbj", "test", 966), ("bm", "dev", 638), ("bm", "test", 1274), ("ee", "dev", 501),
    ("ee", "test", 1001), ("fon", "dev", 623), ("fon", "test", 1228), ("ha", "dev", 816), ("ha", "test", 1633),
    ("ig", "dev", 1090), ("ig", "test", 2181), ("lg", "dev", 706), ("lg", "test", 1412), ("luo", "dev", 737),
    ("luo", "test", 1474), ("mos", "dev", 648), ("mos", "test", 1294), ("ny", "dev", 893), ("ny", "test", 1785),
    ("pcm", "dev", 806), ("pcm", "test", 1613), ("rw", "dev", 1118), ("rw", "test", 2235), ("sn", "dev", 887),
    ("sn", "test", 1773), ("sw", "dev", 942), ("sw", "test", 1883), ("tn", "dev", 499), ("tn", "test", 996),
    ("tw", "dev", 605), ("tw", "test", 1211), ("wo", "dev", 656), ("wo", "test", 1312), ("xh", "dev", 817),
    ("xh", "test", 1633), ("yo", "dev", 983), ("yo", "test", 1964), ("zu", "dev", 836), ("zu", "test", 1670),
)  # fmt: skip

MASAKHAPOS: Counts = (
    ("bbj", "dev", 149), ("bbj", "test", 599), ("bm", "dev", 154), ("bm", "test", 619), ("ee", "dev", 145),
    ("ee", "test", 582), ("fon", "dev", 161), ("fon", "test", 646), ("ha", "dev", 150), ("ha", "test", 601),
    ("ig", "dev", 160), ("ig", "test", 642), ("lg", "dev", 146), ("lg", "test", 586), ("luo", "dev", 151),
    ("luo", "test", 606), ("mos", "dev", 151), ("mos", "test", 604), ("ny", "dev", 145), ("ny", "test", 582),
    ("pcm", "dev", 150), ("pcm", "test", 600), ("rw", "dev", 151), ("rw", "test", 604), ("sn", "dev", 149),
    ("sn", "test", 596), ("sw", "dev", 138), ("sw", "test", 553), ("tn", "dev", 150), ("tn", "test", 602),
    ("tw", "dev", 157), ("tw", "test", 628), ("wo", "dev", 156), ("wo", "test", 625), ("xh", "dev", 150),
    ("xh", "test", 601), ("yo", "dev", 178), ("yo", "test", 713), ("zu", "dev", 150), ("zu", "test", 601),
)  # fmt: skip

UNER: Counts = (
    ("arq_Latn", "dev", 139), ("arq_Latn", "test", 145), ("ceb", "test", 188), ("da", "dev", 564), ("da", "test", 565),
    ("de", "test", 1000), ("en", "dev", 2001), ("en", "test", 2077), ("en", "train", 12543), ("hr", "dev", 960),
    ("hr", "test", 1136), ("pt", "dev", 1172), ("pt", "test", 1167), ("ru", "test", 1000), ("sk", "dev", 1060),
    ("sk", "test", 1061), ("sr_Latn", "dev", 536), ("sr_Latn", "test", 520), ("sv", "dev", 504), ("sv", "test", 1219),
    ("tl", "test", 128), ("zh", "dev", 500), ("zh", "test", 500),
)  # fmt: skip

TYDIQA: Counts = (
    ("ar", "dev", 921), ("bn", "dev", 113), ("en", "dev", 440), ("en", "train", 3696), ("fi", "dev", 782),
    ("id", "dev", 565), ("ko", "dev", 276), ("ru", "dev", 812), ("sw", "dev", 499), ("te", "dev", 669),
)  # fmt: skip

AFRISENTI: Counts = (
    ("am", "test", 1999), ("arq", "test", 958), ("ary", "test", 2961), ("ha", "test", 5303), ("ig", "test", 3682),
    ("om", "test", 2096), ("pcm", "test", 4154), ("pt", "test", 3662), ("rw", "test", 1026), ("sw", "test", 748),
    ("ti", "test", 2000), ("ts", "test", 254), ("tw", "test", 949), ("yo", "test", 4515),
)  # fmt: skip

TATOEBA_CODES = (
    ("af", "afr"), ("am", "amh"), ("ar", "ara"), ("az", "aze"), ("be", "bel"), ("bg", "bul"), ("bn", "ben"),
    ("br", "bre"), ("bs", "bos"), ("ca", "cat"), ("ch", "cha"), ("cs", "ces"), ("cy", "cym"), ("da", "dan"),
    ("de", "deu"), ("el", "ell"), ("eo", "epo"), ("es", "spa"), ("et", "est"), ("eu", "eus"), ("fa", "pes"),
    ("fi", "fin"), ("fo", "fao"), ("fr", "fra"), ("fy", "fry"), ("ga", "gle"), ("gd", "gla"), ("gl", "glg"),
    ("he", "heb"), ("hi", "hin"), ("hr", "hrv"), ("hu", "hun"), ("hy", "hye"), ("ia", "ina"), ("id", "ind"),
    ("ie", "ile"), ("io", "ido"), ("is", "isl"), ("it", "ita"), ("ja", "jpn"), ("jv", "jav"), ("ka", "kat"),
    ("kk", "kaz"), ("km", "khm"), ("ko", "kor"), ("ku", "kur"), ("kw", "cor"), ("la", "lat"), ("lt", "lit"),
    ("lv", "lvs"), ("mk", "mkd"), ("ml", "mal"), ("mn", "mon"), ("mr", "mar"), ("ms", "zsm"), ("nl", "nld"),
    ("nn", "nno"), ("no", "nob"), ("oc", "oci"), ("pl", "pol"), ("pt", "por"), ("ro", "ron"), ("ru", "rus"),
    ("sk", "slk"), ("sl", "slv"), ("sq", "sqi"), ("sr", "srp"), ("sv", "swe"), ("sw", "swh"), ("ta", "tam"),
    ("te", "tel"), ("th", "tha"), ("tk", "tuk"), ("tl", "tgl"), ("tr", "tur"), ("tt", "tat"), ("ug", "uig"),
    ("uk", "ukr"), ("ur", "urd"), ("uz", "uzb"), ("vi", "vie"), ("xh", "xho"), ("yi", "yid"), ("zh", "cmn"),
)  # fmt: skip

SIB200_CODES = (
    ("ace", "ace_Latn"), ("ace_Arab", "ace_Arab"), ("acm", "acm_Arab"), ("acq", "acq_Arab"), ("aeb", "aeb_Arab"),
    ("af", "afr_Latn"), ("ajp", "ajp_Arab"), ("ak", "aka_Latn"), ("am", "amh_Ethi"), ("apc", "apc_Arab"),
    ("ar", "arb_Arab"), ("ar_Latn", "arb_Latn"), ("ars", "ars_Arab"), ("ary", "ary_Arab"), ("arz", "arz_Arab"),
    ("as", "asm_Beng"), ("ast", "ast_Latn"), ("awa", "awa_Deva"), ("ay", "ayr_Latn"), ("az", "azj_Latn"),
    ("azb", "azb_Arab"), ("ba", "bak_Cyrl"), ("ban", "ban_Latn"), ("be", "bel_Cyrl"), ("bem", "bem_Latn"),
    ("bg", "bul_Cyrl"), ("bho", "bho_Deva"), ("bjn", "bjn_Latn"), ("bjn_Arab", "bjn_Arab"), ("bm", "bam_Latn"),
    ("bn", "ben_Beng"), ("bo", "bod_Tibt"), ("bs", "bos_Latn"), ("bug", "bug_Latn"), ("ca", "cat_Latn"),
    ("ceb", "ceb_Latn"), ("cjk", "cjk_Latn"), ("ckb", "ckb_Arab"), ("crh", "crh_Latn"), ("cs", "ces_Latn"),
    ("cy", "cym_Latn"), ("da", "dan_Latn"), ("de", "deu_Latn"), ("dik", "dik_Latn"), ("dyu", "dyu_Latn"),
    ("dz", "dzo_Tibt"), ("ee", "ewe_Latn"), ("el", "ell_Grek"), ("en", "eng_Latn"), ("eo", "epo_Latn"),
    ("es", "spa_Latn"), ("et", "est_Latn"), ("eu", "eus_Latn"), ("fa", "pes_Arab"), ("fi", "fin_Latn"),
    ("fj", "fij_Latn"), ("fo", "fao_Latn"), ("fon", "fon_Latn"), ("fr", "fra_Latn"), ("fur", "fur_Latn"),
    ("fuv", "fuv_Latn"), ("ga", "gle_Latn"), ("gd", "gla_Latn"), ("gl", "glg_Latn"), ("gn", "grn_Latn"),
    ("gu", "guj_Gujr"), ("ha", "hau_Latn"), ("he", "heb_Hebr"), ("hi", "hin_Deva"), ("hne", "hne_Deva"),
    ("hr", "hrv_Latn"), ("ht", "hat_Latn"), ("hu", "hun_Latn"), ("hy", "hye_Armn"), ("id", "ind_Latn"),
    ("ig", "ibo_Latn"), ("ilo", "ilo_Latn"), ("is", "isl_Latn"), ("it", "ita_Latn"), ("ja", "jpn_Jpan"),
    ("jv", "jav_Latn"), ("ka", "kat_Geor"), ("kab", "kab_Latn"), ("kac", "kac_Latn"), ("kam", "kam_Latn"),
    ("kbp", "kbp_Latn"), ("kea", "kea_Latn"), ("kg", "kon_Latn"), ("ki", "kik_Latn"), ("kk", "kaz_Cyrl"),
    ("km", "khm_Khmr"), ("kmb", "kmb_Latn"), ("kn", "kan_Knda"), ("knc", "knc_Latn"), ("knc_Arab", "knc_Arab"),
    ("ko", "kor_Hang"), ("ks", "kas_Arab"), ("ks_Deva", "kas_Deva"), ("ku", "kmr_Latn"), ("ky", "kir_Cyrl"),
    ("lb", "ltz_Latn"), ("lg", "lug_Latn"), ("li", "lim_Latn"), ("lij", "lij_Latn"), ("lmo", "lmo_Latn"),
    ("ln", "lin_Latn"), ("lo", "lao_Laoo"), ("lt", "lit_Latn"), ("ltg", "ltg_Latn"), ("lua", "lua_Latn"),
    ("luo", "luo_Latn"), ("lus", "lus_Latn"), ("lv", "lvs_Latn"), ("mag", "mag_Deva"), ("mai", "mai_Deva"),
    ("mg", "plt_Latn"), ("mi", "mri_Latn"), ("min", "min_Latn"), ("min_Arab", "min_Arab"), ("mk", "mkd_Cyrl"),
    ("ml", "mal_Mlym"), ("mn", "khk_Cyrl"), ("mni", "mni_Beng"), ("mos", "mos_Latn"), ("mr", "mar_Deva"),
    ("ms", "zsm_Latn"), ("mt", "mlt_Latn"), ("my", "mya_Mymr"), ("ne", "npi_Deva"), ("nl", "nld_Latn"),
    ("nn", "nno_Latn"), ("no", "nob_Latn"), ("nqo", "nqo_Nkoo"), ("nso", "nso_Latn"), ("nus", "nus_Latn"),
    ("ny", "nya_Latn"), ("oc", "oci_Latn"), ("om", "gaz_Latn"), ("or", "ory_Orya"), ("pa", "pan_Guru"),
    ("pag", "pag_Latn"), ("pap", "pap_Latn"), ("pl", "pol_Latn"), ("prs", "prs_Arab"), ("ps", "pbt_Arab"),
    ("pt", "por_Latn"), ("qu", "quy_Latn"), ("rn", "run_Latn"), ("ro", "ron_Latn"), ("ru", "rus_Cyrl"),
    ("rw", "kin_Latn"), ("sa", "san_Deva"), ("sat", "sat_Olck"), ("sc", "srd_Latn"), ("scn", "scn_Latn"),
    ("sd", "snd_Arab"), ("sg", "sag_Latn"), ("shn", "shn_Mymr"), ("si", "sin_Sinh"), ("sk", "slk_Latn"),
    ("sl", "slv_Latn"), ("sm", "smo_Latn"), ("sn", "sna_Latn"), ("so", "som_Latn"), ("sq", "als_Latn"),
    ("sr", "srp_Cyrl"), ("ss", "ssw_Latn"), ("st", "sot_Latn"), ("su", "sun_Latn"), ("sv", "swe_Latn"),
    ("sw", "swh_Latn"), ("szl", "szl_Latn"), ("ta", "tam_Taml"), ("taq", "taq_Latn"), ("taq_Tfng", "taq_Tfng"),
    ("te", "tel_Telu"), ("tg", "tgk_Cyrl"), ("th", "tha_Thai"), ("ti", "tir_Ethi"), ("tk", "tuk_Latn"),
    ("tl", "tgl_Latn"), ("tn", "tsn_Latn"), ("tpi", "tpi_Latn"), ("tr", "tur_Latn"), ("ts", "tso_Latn"),
    ("tt", "tat_Cyrl"), ("tum", "tum_Latn"), ("tw", "twi_Latn"), ("tzm", "tzm_Tfng"), ("ug", "uig_Arab"),
    ("uk", "ukr_Cyrl"), ("umb", "umb_Latn"), ("ur", "urd_Arab"), ("uz", "uzn_Latn"), ("vec", "vec_Latn"),
    ("vi", "vie_Latn"), ("war", "war_Latn"), ("wo", "wol_Latn"), ("xh", "xho_Latn"), ("yi", "ydd_Hebr"),
    ("yo", "yor_Latn"), ("yue", "yue_Hant"), ("zh", "zho_Hans"), ("zh_Hant", "zho_Hant"), ("zu", "zul_Latn"),
)  # fmt: skip

AFRICAN_CODES = (
    ("am", "amh"), ("bm", "bam"), ("ee", "ewe"), ("ha", "hau"), ("ig", "ibo"), ("lg", "lug"), ("ny", "nya"),
    ("om", "orm"), ("pt", "por"), ("rw", "kin"), ("sn", "sna"), ("sw", "swa"), ("ti", "tir"), ("tn", "tsn"),
    ("ts", "tso"), ("tw", "twi"), ("wo", "wol"), ("xh", "xho"), ("yo", "yor"), ("zu", "zul"),
)  # fmt: skip

UD_TREEBANKS = (
    ("af", "UD_Afrikaans-AfriBooms/af_afribooms"), ("am", "UD_Amharic-ATT/am_att"), ("ar", "UD_Arabic-PUD/ar_pud"),
    ("bg", "UD_Bulgarian-BTB/bg_btb"), ("de", "UD_German-GSD/de_gsd"), ("el", "UD_Greek-GDT/el_gdt"),
    ("en", "UD_English-EWT/en_ewt"), ("es", "UD_Spanish-GSD/es_gsd"), ("et", "UD_Estonian-EDT/et_edt"),
    ("eu", "UD_Basque-BDT/eu_bdt"), ("fa", "UD_Persian-Seraji/fa_seraji"), ("fi", "UD_Finnish-TDT/fi_tdt"),
    ("fr", "UD_French-GSD/fr_gsd"), ("he", "UD_Hebrew-HTB/he_htb"), ("hi", "UD_Hindi-PUD/hi_pud"),
    ("hu", "UD_Hungarian-Szeged/hu_szeged"), ("id", "UD_Indonesian-GSD/id_gsd"), ("it", "UD_Italian-ISDT/it_isdt"),
    ("ja", "UD_Japanese-GSD/ja_gsd"), ("kk", "UD_Kazakh-KTB/kk_ktb"), ("ko", "UD_Korean-GSD/ko_gsd"),
    ("lt", "UD_Lithuanian-ALKSNIS/lt_alksnis"), ("mr", "UD_Marathi-UFAL/mr_ufal"), ("nl", "UD_Dutch-Alpino/nl_alpino"),
    ("pl", "UD_Polish-PDB/pl_pdb"), ("pt", "UD_Portuguese-GSD/pt_gsd"), ("ro", "UD_Romanian-RRT/ro_rrt"),
    ("ru", "UD_Russian-GSD/ru_gsd"), ("ta", "UD_Tamil-TTB/ta_ttb"), ("te", "UD_Telugu-MTG/te_mtg"),
    ("th", "UD_Thai-PUD/th_pud"), ("tl", "UD_Tagalog-TRG/tl_trg"), ("tr", "UD_Turkish-IMST/tr_imst"),
    ("uk", "UD_Ukrainian-IU/uk_iu"), ("ur", "UD_Urdu-UDTB/ur_udtb"), ("vi", "UD_Vietnamese-VTB/vi_vtb"),
    ("yo", "UD_Yoruba-YTB/yo_ytb"), ("zh", "UD_Chinese-GSDSimp/zh_gsdsimp"), ("zh_Hant", "UD_Chinese-GSD/zh_gsd"),
)  # fmt: skip
"""Repository and beginning of the file names of each language's treebank."""

UNER_TREEBANKS = (
    ("arq_Latn", "UNER_Maghrebi_Arabic_French-Arabizi/qaf_arabizi"), ("ceb", "UNER_Cebuano-GJA/ceb_gja"),
    ("da", "UNER_Danish-DDT/da_ddt"), ("de", "UNER_German-PUD/de_pud"), ("en", "UNER_English-EWT/en_ewt"),
    ("hr", "UNER_Croatian-SET/hr_set"), ("pt", "UNER_Portuguese-Bosque/pt_bosque"), ("ru", "UNER_Russian-PUD/ru_pud"),
    ("sk", "UNER_Slovak-SNK/sk_snk"), ("sr_Latn", "UNER_Serbian-SET/sr_set"), ("sv", "UNER_Swedish-Talbanken/sv_talbanken"),
    ("tl", "UNER_Tagalog-TRG/tl_trg"), ("zh", "UNER_Chinese-GSDSIMP/zh_gsdsimp"),
)  # fmt: skip
"""The same for Universal NER."""
