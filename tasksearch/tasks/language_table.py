"""The table behind `tasksearch.tasks.languages`: code, other codes, script, name; by family.

Codes, names and scripts follow ISO 639 and ISO 15924; families follow Glottolog's top level, with Indo-European and
Atlantic-Congo split once. One line is `code=other,other Script Name`; `!` before the code: among the languages of XLM-R (the
list in fairseq's examples/xlmr/README.md, commit 6034aea); `?`: that list does not say.
"""

from __future__ import annotations

TABLE = """
Indo-European, Germanic
!af=afr Latn Afrikaans
ang Latn Old English
!da=dan Latn Danish
!de=deu,ger Latn German
!en=eng Latn English
fo=fao Latn Faroese
!fy=fry Latn Western Frisian
gsw Latn Swiss German
!is=isl,ice Latn Icelandic
lb=ltz Latn Luxembourgish
li=lim Latn Limburgish
nds Latn Low German
!nl=nld,dut Latn Dutch
!no=nb,nob,nor Latn Norwegian Bokmål
?nn=nno Latn Norwegian Nynorsk
!sv=swe Latn Swedish
swg Latn Swabian
!yi=yid,ydd Hebr Yiddish
Indo-European, Romance and Latin
ast Latn Asturian
!ca=cat Latn Catalan
!es=spa Latn Spanish
!fr=fra,fre Latn French
fur Latn Friulian
!gl=glg Latn Galician
!it=ita Latn Italian
!la=lat Latn Latin
lij Latn Ligurian
lmo Latn Lombard
oc=oci Latn Occitan
pms Latn Piedmontese
!pt=por Latn Portuguese
!ro=ron,rum Latn Romanian
sc=srd Latn Sardinian
scn Latn Sicilian
vec Latn Venetian
Indo-European, Balto-Slavic
!be=bel Cyrl Belarusian
!bg=bul Cyrl Bulgarian
!bs=bos Latn Bosnian
!cs=ces,cze Latn Czech
csb Latn Kashubian
dsb Latn Lower Sorbian
!hr=hrv Latn Croatian
hsb Latn Upper Sorbian
!lt=lit Latn Lithuanian
ltg Latn Latgalian
!lv=lvs,lav Latn Latvian
!mk=mkd,mac Cyrl Macedonian
orv Cyrl Old Russian
!pl=pol Latn Polish
!ru=rus Cyrl Russian
!sk=slk,slo Latn Slovak
!sl=slv Latn Slovenian
!sr=srp Cyrl Serbian
szl Latn Silesian
!uk=ukr Cyrl Ukrainian
Indo-European, Indo-Iranian
!as=asm Beng Assamese
awa Deva Awadhi
bho Deva Bhojpuri
!bn=ben Beng Bengali
ckb Arab Central Kurdish
!fa=pes,fas,per Arab Persian
!gu=guj Gujr Gujarati
!hi=hin Deva Hindi
hne Deva Chhattisgarhi
ks=kas Arab Kashmiri
!ku=kur,kmr Latn Northern Kurdish
mag Deva Magahi
mai Deva Maithili
!mr=mar Deva Marathi
!ne=npi,nep Deva Nepali
!or=ory,ori Orya Odia
!pa=pan Guru Punjabi
prs Arab Dari
!ps=pbt,pus Arab Pashto
!sa=san Deva Sanskrit
!sd=snd Arab Sindhi
!si=sin Sinh Sinhala
tg=tgk Cyrl Tajik
!ur=urd Arab Urdu
dv=div Thaa Dhivehi
Indo-European, other
!br=bre Latn Breton
kw=cor Latn Cornish
!cy=cym,wel Latn Welsh
!el=ell,gre Grek Greek
!ga=gle Latn Irish
!gd=gla Latn Scottish Gaelic
!hy=hye,arm Armn Armenian
!sq=sqi,als,alb Latn Albanian
Uralic
!et=est,ekk Latn Estonian
!fi=fin Latn Finnish
!hu=hun Latn Hungarian
mhr=chm Cyrl Meadow Mari
Turkic
!az=azj,aze Latn Azerbaijani
azb Arab South Azerbaijani
ba=bak Cyrl Bashkir
crh Latn Crimean Tatar
!kk=kaz Cyrl Kazakh
!ky=kir Cyrl Kyrgyz
tt=tat Cyrl Tatar
tk=tuk Latn Turkmen
!tr=tur Latn Turkish
!ug=uig Arab Uyghur
!uz=uzn,uzb Latn Uzbek
Mongolic
!mn=khk,mon Cyrl Mongolian
Afro-Asiatic, Semitic
aeb Arab Tunisian Arabic
acm Arab Mesopotamian Arabic
acq Arab Taʽizzi-Adeni Arabic
ajp Arab South Levantine Arabic
!am=amh Ethi Amharic
apc Arab North Levantine Arabic
!ar=arb,ara Arab Arabic
arq Arab Algerian Arabic
ars Arab Najdi Arabic
ary Arab Moroccan Arabic
arz Arab Egyptian Arabic
!he=heb Hebr Hebrew
mey Arab Hassaniya Arabic
mt=mlt Latn Maltese
ti=tir Ethi Tigrinya
Afro-Asiatic, other
ber Latn Berber (collective)
!ha=hau Latn Hausa
kab Latn Kabyle
!om=gaz,orm Latn Oromo
shi Latn Tachelhit
!so=som Latn Somali
taq Latn Tamasheq
tzm Tfng Central Atlas Tamazight
Atlantic-Congo, Bantu
bbj Latn Ghomálá'
bem Latn Bemba
cjk Latn Chokwe
kam Latn Kamba
ki=kik Latn Kikuyu
kmb Latn Kimbundu
kg=kon Latn Kongo
ln=lin Latn Lingala
lua Latn Luba-Kasai
lg=lug Latn Ganda
nd=nde Latn North Ndebele
nso Latn Northern Sotho
ny=nya Latn Chichewa
rn=run Latn Rundi
rw=kin Latn Kinyarwanda
sn=sna Latn Shona
ss=ssw Latn Swati
st=sot Latn Southern Sotho
!sw=swh,swa Latn Swahili
tn=tsn Latn Tswana
ts=tso Latn Tsonga
tum Latn Tumbuka
umb Latn Umbundu
ve=ven Latn Venda
!xh=xho Latn Xhosa
zu=zul Latn Zulu
Atlantic-Congo, other
ak=aka Latn Akan
ee=ewe Latn Ewe
fon Latn Fon
fuc Latn Pulaar
fuv Latn Nigerian Fulfulde
ig=ibo Latn Igbo
kbp Latn Kabiyè
mos Latn Mossi
sg=sag Latn Sango
tw=twi Latn Twi
wo=wol Latn Wolof
yo=yor Latn Yoruba
Mande
bm=bam Latn Bambara
dyu Latn Dyula
nqo Nkoo N'Ko
Nilotic and Saharan
dik=din Latn Dinka
knc=kau,kr Latn Central Kanuri
luo Latn Luo
nus Latn Nuer
Dravidian
!kn=kan Knda Kannada
!ml=mal Mlym Malayalam
!ta=tam Taml Tamil
!te=tel Telu Telugu
Kartvelian
!ka=kat,geo Geor Georgian
Basque
!eu=eus,baq Latn Basque
Austroasiatic
!km=khm Khmr Khmer
sat Olck Santali
!vi=vie Latn Vietnamese
Sino-Tibetan
bo=bod,tib Tibt Tibetan
dz=dzo Tibt Dzongkha
kac Latn Jingpho
lus Latn Mizo
mni Beng Meitei
!my=mya,bur Mymr Burmese
wuu Hans Wu Chinese
yue Hant Cantonese
!zh=cmn,zho,chi Hans Chinese
Tai-Kadai
!lo=lao Laoo Lao
shn Mymr Shan
!th=tha Thai Thai
Hmong-Mien
hmn Latn Hmong
Japonic and Koreanic
!ja=jpn Jpan Japanese
!ko=kor Hang Korean
Austronesian
ace Latn Acehnese
ban Latn Balinese
bjn Latn Banjar
bug Latn Buginese
ceb Latn Cebuano
ch=cha Latn Chamorro
dtp Latn Central Dusun
fj=fij Latn Fijian
!id=ind Latn Indonesian
ilo Latn Ilocano
!jv=jav Latn Javanese
kzj Latn Coastal Kadazan
max Latn North Moluccan Malay
mi=mri,mao Latn Māori
!mg=plt,mlg Latn Malagasy
min Latn Minangkabau
!ms=zsm,msa,may Latn Malay
pag Latn Pangasinan
pam Latn Kapampangan
sm=smo Latn Samoan
!su=sun Latn Sundanese
!tl=tgl,fil Latn Filipino
to=ton Latn Tongan
ty=tah Latn Tahitian
war Latn Waray
Americas
ay=ayr,aym Latn Aymara
gn=grn,gug Latn Guarani
qu=quy,que Latn Quechua
Creole and pidgin
cbk Latn Chavacano
ht=hat Latn Haitian Creole
kea Latn Cape Verdean Creole
pap Latn Papiamento
pcm Latn Nigerian Pidgin
tpi Latn Tok Pisin
Constructed
!eo=epo Latn Esperanto
ia=ina Latn Interlingua
ie=ile Latn Interlingue
io=ido Latn Ido
lfn Latn Lingua Franca Nova
nov Latn Novial
tzl Latn Talossan
"""

CC100_GIB: dict[str, float] = {
    "yo": 0.0, "jv": 0.2, "af": 1.3, "sw": 1.6, "my": 1.6, "eu": 2.0, "mr": 2.8, "tl": 3.1, "te": 4.7, "ur": 5.7, "et": 6.1,
    "kk": 6.4, "ml": 7.6, "bn": 8.4, "ms": 8.5, "ka": 9.1, "ta": 12.2, "hi": 20.2, "tr": 20.9, "nl": 29.3, "it": 30.2,
    "he": 31.6, "el": 46.9, "zh": 46.9, "pt": 49.1, "es": 53.3, "ko": 54.2, "fi": 54.3, "fr": 56.8, "bg": 57.5, "hu": 58.4,
    "de": 66.6, "ja": 69.3, "th": 71.7, "fa": 111.6, "vi": 137.3, "id": 148.3, "ru": 278.0, "en": 300.8,
}  # fmt: skip
"""GiB of CC-100 text, from the XLM-R paper (Conneau et al. 2020), table 6; romanised and Zawgyi text is not counted. A language
that is not here is unknown to us, not small."""
